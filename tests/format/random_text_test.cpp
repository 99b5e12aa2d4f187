// Random round trips of opaque texts and times.
#include <catch2/catch.hpp>
#include <cstdio>
#include <ctime>
#include <string>

#include "format/text_codec.h"
#include "random_seed.h"

namespace vouch::format {
namespace {

TEST_CASE("any bytes go through base64 and cursors and back") {
  VOUCH_RANDOM(random);
  for (int i = 0; i < 5'000; ++i) {
    const std::string bytes = random_bytes(random, below(random, 100));
    REQUIRE(from_base64(base64(bytes)) == bytes);
    REQUIRE(from_base64url(base64url(bytes)) == bytes);
    REQUIRE(cursor_from_text(cursor_text(bytes)) == Cursor{bytes});
  }
}

TEST_CASE("whatever is decoded has no other text") {
  VOUCH_RANDOM(random);
  static const std::string kBytes = "AQgwZ09-_+/= c";
  for (int i = 0; i < 50'000; ++i) {
    std::string text;
    for (std::size_t size = below(random, 9); size > 0; --size) {
      text += kBytes[below(random, kBytes.size())];
    }
    INFO(text);
    if (const auto bytes = from_base64(text)) REQUIRE(base64(*bytes) == text);
    if (const auto bytes = from_base64url(text)) REQUIRE(base64url(*bytes) == text);
    if (const auto cursor = cursor_from_text(text)) REQUIRE(cursor_text(*cursor) == text);
    if (const auto token = token_from_text(text)) REQUIRE(token_text(*token) == text);
  }
}

TEST_CASE("any transaction goes to text and back") {
  VOUCH_RANDOM(random);
  for (int i = 0; i < 5'000; ++i) {
    const Token token{LaneNumber{static_cast<std::uint32_t>(random() >> below(random, 64))},
                      BatchNumber{random() >> below(random, 64)},
                      random_bytes(random, below(random, 65))};
    REQUIRE(token_from_text(token_text(token)) == token);
  }
}

TEST_CASE("any time goes to text and back, and the date is the C library's") {
  VOUCH_RANDOM(random);
  constexpr std::int64_t kFirstSecond = -62'167'219'200;
  constexpr std::int64_t kLastSecond = 253'402'300'799;
  for (int i = 0; i < 20'000; ++i) {
    const std::int64_t second =
        std::uniform_int_distribution<std::int64_t>(kFirstSecond, kLastSecond)(random);
    const auto micros = static_cast<std::int64_t>(below(random, 1'000'000));
    const Timestamp time{second * 1'000'000 + micros};
    const std::string text = time_text(time);
    INFO(text);
    REQUIRE(time_from_text(text) == time);

    std::tm parts{};
    const std::time_t seconds = second;
    REQUIRE(gmtime_r(&seconds, &parts) != nullptr);
    char expected[64];
    std::snprintf(expected, sizeof expected, "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ",
                  parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday, parts.tm_hour,
                  parts.tm_min, parts.tm_sec, static_cast<int>(micros));
    REQUIRE(text == expected);
  }
}

}  // namespace
}  // namespace vouch::format
