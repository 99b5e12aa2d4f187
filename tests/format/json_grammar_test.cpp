// Which texts are JSON and which are not (RFC 8259), as one table, and where errors are reported.
#include <catch2/catch.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "format/json_text.h"

namespace vouch::format {
namespace {

using namespace std::string_view_literals;

std::string nested(std::size_t depth, std::string_view open, std::string_view close,
                   std::string_view inside = "") {
  std::string text;
  for (std::size_t i = 0; i < depth; ++i) text += open;
  text += inside;
  for (std::size_t i = 0; i < depth; ++i) text += close;
  return text;
}

TEST_CASE("every form that RFC 8259 allows is accepted as it stands") {
  const std::vector<std::string_view> texts = {
      // scalars
      "null"sv, "true"sv, "false"sv, "0"sv, "-0"sv, "7"sv, "-7"sv, "10"sv, "1200"sv, "0.0"sv,
      "-0.0"sv, "1.10"sv, "3.14159265358979323846264338327950288"sv, "1e0"sv, "1E0"sv, "1e+0"sv,
      "1e-0"sv, "0e1"sv, "0E+400"sv, "1e400"sv, "-1e400"sv, "1e-400"sv, "1.5e007"sv,
      "12345678901234567890"sv, "1234567890123456789012345678901234567890"sv,
      // strings
      R"("")"sv, R"(" ")"sv, R"("a")"sv, R"("plain text that is longer than a word")"sv,
      R"("\"\\\/\b\f\n\r\t")"sv, R"("\u0000")"sv, R"("\u0041\u00e9\u20AC\uFFFF")"sv,
      R"("\ud83d\ude00")"sv, R"("\uD83D\uDE00")"sv, R"("\udbff\udfff")"sv, R"("\u002c\u005C")"sv,
      "\"\x7f\""sv, "\"\xc2\x80\""sv, "\"\xc3\xa9\""sv, "\"\xe0\xa0\x80\""sv, "\"\xe2\x82\xac\""sv,
      "\"\xed\x9f\xbf\""sv, "\"\xee\x80\x80\""sv, "\"\xef\xbf\xbf\""sv, "\"\xf0\x90\x80\x80\""sv,
      "\"\xf0\x9f\x98\x80\""sv, "\"\xf4\x8f\xbf\xbf\""sv, "\"\xe2\x80\xa8\xe2\x80\xa9\""sv,
      R"("// no comment /* here */")"sv,
      // arrays and objects
      "[]"sv, "[ ]"sv, "[1]"sv, "[1,2]"sv, "[1 , 2 ]"sv, "[[],{}]"sv, "[null,true,\"x\",1.5e3]"sv,
      "[\n]"sv, "{}"sv, "{ }"sv, R"({"a":1})"sv, R"({"":0})"sv, R"({ "a" : 1 , "b" : [ ] })"sv,
      R"({"a":{"a":{"a":{}}}})"sv, R"({"z":1,"a":2})"sv, R"({"\u0061":1})"sv,
      // space
      " 1"sv, "1 "sv, "\t\r\n 1\n\n"sv, " [ 1 ] "sv};
  for (const std::string_view text : texts) {
    INFO(text);
    const Result<JsonSlice> slice = parse_json(text);
    CHECK(slice.ok());
    if (!slice.ok()) continue;
    const std::size_t begin = text.find_first_not_of(" \t\r\n");
    const std::size_t end = text.find_last_not_of(" \t\r\n") + 1;
    CHECK(slice->text == text.substr(begin, end - begin));
    CHECK(slice->text.data() == text.data() + begin);
  }
}

TEST_CASE("everything else is refused") {
  const std::vector<std::string_view> texts = {
      // nothing, or too much
      ""sv, " "sv, "\n"sv, "1 2"sv, "1,"sv, "{}{}"sv, "[]]"sv, "null null"sv, "\0"sv, "1\0"sv,
      "\xef\xbb\xbf{}"sv, "{}x"sv, ","sv, ":"sv, "]"sv, "}"sv,
      // literals
      "nul"sv, "nulL"sv, "Null"sv, "True"sv, "tru"sv, "truex"sv, "fals"sv, "falsee"sv,
      "undefined"sv, "NaN"sv, "-NaN"sv, "Infinity"sv, "-Infinity"sv,
      // numbers
      "01"sv, "-01"sv, "00"sv, "+1"sv, "-"sv, "--1"sv, "."sv, ".5"sv, "-.5"sv, "5."sv, "5.e1"sv,
      "1e"sv, "1e+"sv, "1E-"sv, "1ee1"sv, "1e1.5"sv, "0x10"sv, "1_000"sv, "1,000"sv, "1a"sv,
      "\xef\xbc\x91"sv,
      // strings
      "\""sv, "\"abc"sv, "'a'"sv, "a"sv, "\"a\nb\""sv, "\"a\tb\""sv, "\"\0\""sv, "\"\x1f\""sv,
      R"("\x41")"sv, R"("\a")"sv, R"("\'")"sv, R"("\")"sv, R"("\)"sv, R"("\u")"sv, R"("\u1")"sv,
      R"("\u12")"sv, R"("\u123")"sv, R"("\u123)"sv, R"("\u123g")"sv, R"("\U0041")"sv,
      R"("\u{41}")"sv,
      // surrogates
      R"("\ud83d")"sv, R"("\ude00")"sv, R"("\ud83dx")"sv, R"("\ud83d\n")"sv, R"("\ud83d\ud83d")"sv,
      R"("\ude00\ud83d")"sv, R"("\ud83d\u0041")"sv, R"("\ud83d\u")"sv, R"("\ud83d\ude0")"sv,
      // UTF-8
      "\"\x80\""sv, "\"\xbf\""sv, "\"\xc0\x80\""sv, "\"\xc1\xbf\""sv, "\"\xc2\""sv,
      "\"\xc3\x28\""sv, "\"\xe0\x9f\xbf\""sv, "\"\xe2\x82\""sv, "\"\xed\xa0\x80\""sv,
      "\"\xed\xbf\xbf\""sv, "\"\xf0\x8f\xbf\xbf\""sv, "\"\xf0\x9f\x98\""sv,
      "\"\xf4\x90\x80\x80\""sv, "\"\xf5\x80\x80\x80\""sv, "\"\xfe\""sv, "\"\xff\""sv,
      "[\xc3\xa9]"sv,
      // arrays
      "["sv, "[1"sv, "[1,"sv, "[1,]"sv, "[,]"sv, "[,1]"sv, "[1,,2]"sv, "[1 2]"sv, "[1:2]"sv,
      "[1}"sv, "[\"a\":1]"sv, "[(1)]"sv, "[*]"sv,
      // objects
      "{"sv, "{\"a\""sv, "{\"a\":"sv, "{\"a\":1"sv, "{\"a\":1,"sv, "{\"a\":1,}"sv, "{,}"sv,
      "{\"a\"}"sv, "{\"a\":}"sv, "{\"a\",1}"sv, "{\"a\" 1}"sv, "{\"a\"::1}"sv, "{a:1}"sv,
      "{'a':1}"sv, "{1:1}"sv, "{null:1}"sv, "{[]:1}"sv, "{\"a\":1 \"b\":2}"sv,
      "{\"a\":1;\"b\":2}"sv, "{\"a\":1]"sv, "{\"a\":1}}"sv, "{\"a\":1,,\"b\":2}"sv, "{\"a\":1,1}"sv,
      "{\"a\":[}"sv,
      // what other formats allow
      "// comment\n1"sv, "1 // comment"sv, "/* */1"sv, "[1,/* */2]"sv, "# comment\n1"sv,
      "\x0b"
      "1"sv,
      "\f1"sv,
      "\xc2\xa0"
      "1"sv,
      "{\"a\":1 # x\n}"sv};
  for (const std::string_view text : texts) {
    INFO(text);
    const Result<JsonSlice> slice = parse_json(text);
    CHECK_FALSE(slice.ok());
    CHECK(slice.status().code() == StatusCode::invalid_argument);
  }
}

TEST_CASE("an error names line and column, from 1 and in bytes") {
  struct Case {
    std::string_view text;
    std::string_view message;
  };
  const std::vector<Case> cases = {
      {"", "line 1, column 1: a value is missing"},
      {"\n\n ", "line 3, column 2: a value is missing"},
      {"[1,]", "line 1, column 4: expected a value"},
      {"{\"a\":1,}", "line 1, column 8: expected a key in quotes"},
      {"{\n  \"a\" 1}", "line 2, column 7: expected ':' behind the key"},
      {"[1 2]", "line 1, column 4: expected ',' or ']'"},
      {"{\"a\":1\n;}", "line 2, column 1: expected ',' or '}'"},
      {"[\n1,\n 02]", "line 3, column 3: a number has no leading zero"},
      {"1.x", "line 1, column 3: expected a digit"},
      {"{} x", "line 1, column 4: nothing may follow the value"},
      {"[\"abc", "line 1, column 2: the string that begins here has no end"},
      {"\"a\tb\"", "line 1, column 3: a control character must be escaped"},
      {"\"\xc3\xa9\xff\"", "line 1, column 4: not UTF-8"},
      {"\"ab\\q\"", "line 1, column 4: unknown escape"},
      {"\"ab\\u12x4\"", "line 1, column 4: \\u needs four hexadecimal digits"},
      {"\"ab\\ud800\"", "line 1, column 4: half a surrogate pair"},
      {"[[1]", "line 1, column 5: the text ends too early"},
      {"\r\n\r\ntru", "line 3, column 1: expected a value"}};
  for (const Case& one : cases) {
    INFO(one.text);
    CHECK(parse_json(one.text).status().message() == one.message);
  }
}

TEST_CASE("values may be nested to the limit and no deeper") {
  const std::size_t limit = kMaxJsonDepth;
  CHECK(parse_json(nested(100, "[", "]")).ok());
  CHECK(parse_json(nested(limit, "[", "]")).ok());
  CHECK(parse_json(nested(limit, "[", "]", "1")).ok());
  CHECK(parse_json(nested(limit, R"({"k":)", "}", "null")).ok());
  CHECK(parse_json(nested(limit / 2, R"({"k":[)", "]}")).ok());
  CHECK(parse_json(nested(limit + 1, "[", "]")).status().message() ==
        "line 1, column 513: nested too deep");
  CHECK_FALSE(parse_json(nested(limit + 1, R"({"k":)", "}", "null")).ok());
  CHECK_FALSE(parse_json(nested(limit / 2, R"({"k":[)", "]}", "[]")).ok());
  CHECK_FALSE(parse_json(std::string(1'000'000, '[')).ok());
}

TEST_CASE("closing brackets must match at every depth") {
  for (const std::size_t depth : {1, 2, 63, 64, 65, 127, 128, 129, 400}) {
    CHECK(parse_json(nested(depth, R"({"k":[)", "]}")).ok() == (depth * 2 <= kMaxJsonDepth));
    std::string crossed = nested(depth, R"({"k":[)", "");
    for (std::size_t i = 0; i < depth; ++i) crossed += i + 1 == depth ? "}]" : "]}";
    CHECK_FALSE(parse_json(crossed).ok());
  }
}

TEST_CASE("a special byte is seen at every place of a string") {
  for (std::size_t size = 1; size < 40; ++size) {
    for (std::size_t place = 0; place < size; ++place) {
      std::string inside(size, 'a');
      for (const char c : {'\0', '\x1f', '\n', '\x80', '\xff', '"'}) {
        inside[place] = c;
        INFO("size " << size << ", place " << place << ", byte " << int{c});
        CHECK_FALSE(parse_json("\"" + inside + "\"").ok());
      }
      for (const char c : {' ', '!', '#', '[', ']', '~', '\x7f'}) {
        inside[place] = c;
        CHECK(parse_json("\"" + inside + "\"").ok());
      }
    }
  }
}

}  // namespace
}  // namespace vouch::format
