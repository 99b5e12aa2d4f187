// Times of RFC 3339.
#include <catch2/catch.hpp>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "format/text_codec.h"

namespace vouch::format {
namespace {

constexpr std::int64_t kFirst = -62'167'219'200'000'000;
constexpr std::int64_t kLast = 253'402'300'799'999'999;

TEST_CASE("a time is written in UTC with microseconds") {
  CHECK(time_text(Timestamp{0}) == "1970-01-01T00:00:00.000000Z");
  CHECK(time_text(Timestamp{1}) == "1970-01-01T00:00:00.000001Z");
  CHECK(time_text(Timestamp{-1}) == "1969-12-31T23:59:59.999999Z");
  CHECK(time_text(Timestamp{951'827'696'789'000}) == "2000-02-29T12:34:56.789000Z");
  CHECK(time_text(Timestamp{1'400'000'000'000'000}) == "2014-05-13T16:53:20.000000Z");
  CHECK(time_text(Timestamp{kFirst}) == "0000-01-01T00:00:00.000000Z");
  CHECK(time_text(Timestamp{kLast}) == "9999-12-31T23:59:59.999999Z");
}

TEST_CASE("a time that RFC 3339 can't write becomes the nearest that it can") {
  CHECK(time_text(Timestamp{kFirst - 1}) == time_text(Timestamp{kFirst}));
  CHECK(time_text(Timestamp{kLast + 1}) == time_text(Timestamp{kLast}));
  CHECK(time_text(Timestamp{std::numeric_limits<std::int64_t>::min()}) ==
        time_text(Timestamp{kFirst}));
  CHECK(time_text(Timestamp{std::numeric_limits<std::int64_t>::max()}) ==
        time_text(Timestamp{kLast}));
}

TEST_CASE("times are read with any offset and any fraction") {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"2026-11-23T16:06:11.123456Z", "2026-11-23T16:06:11.123456Z"},
      {"2026-11-23T16:06:11Z", "2026-11-23T16:06:11.000000Z"},
      {"2026-11-23t16:06:11z", "2026-11-23T16:06:11.000000Z"},
      {"2026-11-23T16:06:11.5Z", "2026-11-23T16:06:11.500000Z"},
      {"2026-11-23T16:06:11.000001999999999999999Z", "2026-11-23T16:06:11.000001Z"},
      {"2026-11-23T16:06:11.1234569+00:00", "2026-11-23T16:06:11.123456Z"},
      {"2026-11-23T16:06:11-00:00", "2026-11-23T16:06:11.000000Z"},
      {"2026-11-23T16:06:11+01:30", "2026-11-23T14:36:11.000000Z"},
      {"2026-11-23T16:06:11-08:00", "2026-11-24T00:06:11.000000Z"},
      {"2024-03-01T00:30:00+01:00", "2024-02-29T23:30:00.000000Z"},
      {"2025-12-31T23:59:59.999999-23:59", "2026-01-01T23:58:59.999999Z"},
      {"1969-12-31T23:59:59.5Z", "1969-12-31T23:59:59.500000Z"},
      {"1990-12-31T23:59:60Z", "1991-01-01T00:00:00.000000Z"},
      {"1990-12-31T15:59:60-08:00", "1991-01-01T00:00:00.000000Z"},
      {"2016-12-31T23:59:60.25Z", "2017-01-01T00:00:00.250000Z"},
      {"2000-02-29T00:00:00Z", "2000-02-29T00:00:00.000000Z"},
      {"0000-01-01T00:00:00Z", "0000-01-01T00:00:00.000000Z"},
      {"9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"}};
  for (const auto& [text, utc] : cases) {
    INFO(text);
    const auto time = time_from_text(text);
    REQUIRE(time.has_value());
    CHECK(time_text(*time) == utc);
  }
}

TEST_CASE("what is not a time is refused") {
  for (const std::string text : {"",
                                 "now",
                                 "2026",
                                 "2026-11-23",
                                 "2026-11-23T16:06Z",
                                 "2026-11-23T16:06:11",
                                 "2026-11-23 16:06:11Z",
                                 "2026-11-23T16:06:11.Z",
                                 "2026-11-23T16:06:11,5Z",
                                 "2026-11-23T16:06:11Z ",
                                 " 2026-11-23T16:06:11Z",
                                 "2026-11-23T16:06:11ZZ",
                                 "2026-11-23T16:06:11+0100",
                                 "2026-11-23T16:06:11+1:00",
                                 "2026-11-23T16:06:11+24:00",
                                 "2026-11-23T16:06:11+01:60",
                                 "2026-11-23T16:06:11+01",
                                 "2026-11-23T16:06:11.5",
                                 "2026-13-01T00:00:00Z",
                                 "2026-00-01T00:00:00Z",
                                 "2026-01-00T00:00:00Z",
                                 "2026-01-32T00:00:00Z",
                                 "2026-04-31T00:00:00Z",
                                 "2026-02-29T00:00:00Z",
                                 "1900-02-29T00:00:00Z",
                                 "2026-01-01T24:00:00Z",
                                 "2026-01-01T23:60:00Z",
                                 "2026-01-01T23:59:61Z",
                                 "2026-01-15T23:59:60Z",
                                 "2026-12-31T22:59:60Z",
                                 "2026-12-31T23:59:60+01:00",
                                 "26-01-01T00:00:00Z",
                                 "+2026-01-01T00:00:00Z",
                                 "-001-01-01T00:00:00Z",
                                 "20260-01-01T00:00:00Z",
                                 "2026-1-1T00:00:00Z",
                                 "2026-01-01T0:00:00Z",
                                 "2026/01/01T00:00:00Z",
                                 "2026-W01-1T00:00:00Z",
                                 "0000-01-01T00:00:00+00:01",
                                 "9999-12-31T23:59:59-00:01",
                                 "9999-12-31T23:59:60Z"}) {
    INFO(text);
    CHECK_FALSE(time_from_text(text).has_value());
  }
}

TEST_CASE("a time cut short anywhere is refused") {
  const std::string whole = "2026-11-23T16:06:11.1+01:30";
  for (std::size_t size = 0; size < whole.size(); ++size) {
    INFO(whole.substr(0, size));
    CHECK_FALSE(time_from_text(whole.substr(0, size)).has_value());
  }
  CHECK(time_from_text(whole).has_value());
}

}  // namespace
}  // namespace vouch::format
