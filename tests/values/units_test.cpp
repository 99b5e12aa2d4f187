// Durations, sizes and near names, as people write and misspell them.
#include <catch2/catch.hpp>

#include "vouch/values/setting_values.h"

namespace vouch::values {
namespace {

using std::chrono::microseconds;

TEST_CASE("a duration is a whole number with a unit") {
  CHECK(parse_duration("250us") == microseconds{250});
  CHECK(parse_duration("10ms") == microseconds{10'000});
  CHECK(parse_duration("5s") == std::chrono::seconds{5});
  CHECK(parse_duration("2m") == std::chrono::minutes{2});
  CHECK(parse_duration("1h") == std::chrono::hours{1});
  CHECK(parse_duration("7d") == std::chrono::hours{7 * 24});
  CHECK(parse_duration("0") == microseconds{0});
  CHECK(parse_duration("0s") == microseconds{0});
}

TEST_CASE("what is not quite a duration is refused") {
  const auto text = GENERATE(as<std::string>{}, "", "5", "s", "5 s", "-5s", "+5s", "1.5s", "5S",
                             "5sec", "5s ", " 5s", "1h30m", "0x5s", "5min");
  CAPTURE(text);
  CHECK_FALSE(parse_duration(text).has_value());
}

TEST_CASE("a duration that does not fit is refused instead of wrapped around") {
  CHECK(parse_duration("9223372036854775807us") == microseconds::max());
  CHECK_FALSE(parse_duration("9223372036854775808us"));
  CHECK_FALSE(parse_duration("9223372036854775807ms"));
  CHECK_FALSE(parse_duration("106751992d"));
  CHECK_FALSE(parse_duration("99999999999999999999s"));
}

TEST_CASE("a size is bytes, in powers of 1024 or of 1000") {
  CHECK(parse_size("0") == 0U);
  CHECK(parse_size("512") == 512U);
  CHECK(parse_size("64KiB") == 65'536U);
  CHECK(parse_size("1MiB") == 1'048'576U);
  CHECK(parse_size("2GiB") == 2'147'483'648U);
  CHECK(parse_size("3KB") == 3'000U);
  CHECK(parse_size("3MB") == 3'000'000U);
  CHECK(parse_size("3GB") == 3'000'000'000U);
}

TEST_CASE("what is not quite a size is refused") {
  const auto text = GENERATE(as<std::string>{}, "", "-1", "1.5MiB", "1 MiB", "1mib", "1K", "MiB",
                             "18446744073709551616", "17179869184GiB");
  CAPTURE(text);
  CHECK_FALSE(parse_size(text).has_value());
}

TEST_CASE("durations and sizes are shown in the largest unit that leaves no rest") {
  CHECK(duration_text(microseconds{0}) == "0");
  CHECK(duration_text(microseconds{1'500'000}) == "1500ms");
  CHECK(duration_text(std::chrono::seconds{90}) == "90s");
  CHECK(duration_text(std::chrono::hours{168}) == "7d");
  CHECK(duration_text(microseconds{250}) == "250us");
  CHECK(size_text(0) == "0");
  CHECK(size_text(1'048'576) == "1MiB");
  CHECK(size_text(1'500) == "1500");
  CHECK(size_text(1'000'000) == "1000000");
}

TEST_CASE("the nearest name is found across slips, swaps, case and dashes") {
  constexpr std::string_view kKnown[] = {"lanes", "max_group_events", "queue", "publish_timeout"};
  CHECK(nearest("lane", kKnown) == "lanes");
  CHECK(nearest("lnaes", kKnown) == "lanes");
  CHECK(nearest("LANES", kKnown) == "lanes");
  CHECK(nearest("max-group-events", kKnown) == "max_group_events");
  CHECK(nearest("maxGroupEvents", kKnown) == "max_group_events");
  CHECK(nearest("publish_timout", kKnown) == "publish_timeout");
}

TEST_CASE("a name far from all others has no nearest one") {
  constexpr std::string_view kKnown[] = {"lanes", "queue"};
  CHECK_FALSE(nearest("password", kKnown));
  CHECK_FALSE(nearest("", kKnown));
  CHECK_FALSE(nearest(std::string(5000, 'l'), kKnown));
}

TEST_CASE("a long value is cut between characters when it is quoted") {
  CHECK(quoted_text("a\"b\n") == "\"a\\\"b\\x0a\"");
  CHECK(quoted_text("ab\xc3\xa4", 3) == "\"ab…\"");
  CHECK(quoted_text("ab\xc3\xa4", 4) == "\"ab\xc3\xa4\"");
}

}  // namespace
}  // namespace vouch::values
