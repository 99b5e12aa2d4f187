// Base64, cursors and transactions as text.
#include "format/text_codec.h"

#include <catch2/catch.hpp>
#include <limits>
#include <string>
#include <utility>
#include <vector>

namespace vouch::format {
namespace {

using namespace std::string_view_literals;

TEST_CASE("base64 gives the vectors of RFC 4648") {
  const std::vector<std::pair<std::string, std::string>> vectors = {{"", ""},
                                                                    {"f", "Zg=="},
                                                                    {"fo", "Zm8="},
                                                                    {"foo", "Zm9v"},
                                                                    {"foob", "Zm9vYg=="},
                                                                    {"fooba", "Zm9vYmE="},
                                                                    {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, text] : vectors) {
    CHECK(base64(plain) == text);
    CHECK(from_base64(text) == plain);
    const std::string unpadded = text.substr(0, text.find('='));
    CHECK(base64url(plain) == unpadded);
    CHECK(from_base64url(unpadded) == plain);
  }
}

TEST_CASE("the two alphabets differ in their last two digits") {
  const std::string bytes = "\xfb\xff\xfe";
  CHECK(base64(bytes) == "+//+");
  CHECK(base64url(bytes) == "-__-");
  CHECK(from_base64("+//+") == bytes);
  CHECK(from_base64url("-__-") == bytes);
  CHECK_FALSE(from_base64("-__-"));
  CHECK_FALSE(from_base64url("+//+"));
}

TEST_CASE("base64 that is not exactly right is refused") {
  for (const std::string_view text :
       {"Zg"sv, "Zg="sv, "Zg==="sv, "Zg====="sv, "Z"sv, "="sv, "=="sv, "===="sv, "A==="sv, "Zm=v"sv,
        "Zm9v\n"sv, " Zm9v"sv, "Zm 9"sv, "Zh=="sv, "Zm9="sv, "Zm9vYg==Zm9v"sv, "Zm9\0"sv,
        "Zm9\xc3"sv}) {
    INFO(text);
    CHECK_FALSE(from_base64(text));
  }
  for (const std::string_view text :
       {"Z"sv, "Zm9vY"sv, "Zg=="sv, "Zm8="sv, "Zh"sv, "Zm9"sv, "Zm.v"sv, "Zm9v "sv}) {
    INFO(text);
    CHECK_FALSE(from_base64url(text));
  }
}

TEST_CASE("cursors go to text and back") {
  CHECK(cursor_text(Cursor{}) == "start");
  CHECK(cursor_text(Cursor{"foob"}) == "cZm9vYg");
  CHECK(cursor_text("foob"sv) == "cZm9vYg");
  CHECK(cursor_from_text("start") == Cursor{});
  for (const std::string& bytes :
       {std::string("\0", 1), std::string("\xff\xfe"), std::string(300, 'x')}) {
    CHECK(cursor_from_text(cursor_text(Cursor{bytes})) == Cursor{bytes});
  }
}

TEST_CASE("what is not a cursor is refused") {
  for (const char* text : {"", "c", "s", "Start", "start ", " start", "starts", "C", "cZ", "cZh",
                           "cZm9vYg==", "Zm9vYg", "xZm9vYg", "c+/+/", "c Zm9v", "0"}) {
    INFO(text);
    CHECK_FALSE(cursor_from_text(text));
  }
}

TEST_CASE("transactions go to text and back") {
  const Token token{LaneNumber{0}, BatchNumber{0x100000001}, "ab"};
  CHECK(token_text(token) == "0-100000001-YWI");
  CHECK(token_from_text("0-100000001-YWI") == token);
  CHECK(token_text(Token{}) == "0-0-");
  const Token largest{LaneNumber{std::numeric_limits<std::uint32_t>::max()},
                      BatchNumber{std::numeric_limits<std::uint64_t>::max()},
                      std::string(64, '\xff')};
  for (const Token& each :
       {Token{}, token, largest, Token{LaneNumber{7}, BatchNumber{10}, "\xfb\xff"}}) {
    CHECK(token_from_text(token_text(each)) == each);
  }
}

TEST_CASE("what is not a transaction is refused") {
  const std::string too_long = "0-1-" + base64url(std::string(65, 'x'));
  for (const std::string& text : {std::string(),
                                  std::string("0"),
                                  std::string("0-1"),
                                  std::string("-1-"),
                                  std::string("0--"),
                                  std::string("00-1-"),
                                  std::string("0-01-"),
                                  std::string("0-1A-"),
                                  std::string("0-1g-"),
                                  std::string("0-0x1-"),
                                  std::string("+0-1-"),
                                  std::string(" 0-1-"),
                                  std::string("a-1-"),
                                  std::string("-0-1-"),
                                  std::string("4294967296-1-"),
                                  std::string("0-10000000000000000-"),
                                  std::string("0-1-Z"),
                                  std::string("0-1-Zg=="),
                                  std::string("0-1-Zh"),
                                  std::string("0-1-Z g"),
                                  too_long}) {
    INFO(text);
    CHECK_FALSE(token_from_text(text));
  }
}

}  // namespace
}  // namespace vouch::format
