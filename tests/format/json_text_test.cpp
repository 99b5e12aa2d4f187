// Taking checked JSON apart and writing strings.
#include "format/json_text.h"

#include <catch2/catch.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace vouch::format {
namespace {

using namespace std::string_view_literals;

JsonSlice checked(std::string_view text) {
  const Result<JsonSlice> slice = parse_json(text);
  REQUIRE(slice.ok());
  return *slice;
}

std::string quoted(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

TEST_CASE("the kind of a value is told") {
  CHECK(checked("{}").kind == JsonKind::object);
  CHECK(checked("[]").kind == JsonKind::array);
  CHECK(checked("\"\"").kind == JsonKind::string);
  CHECK(checked("-1").kind == JsonKind::number);
  CHECK(checked("0").kind == JsonKind::number);
  CHECK(checked("true").kind == JsonKind::boolean);
  CHECK(checked("false").kind == JsonKind::boolean);
  CHECK(checked("null").kind == JsonKind::null);
}

TEST_CASE("a member's value comes back byte for byte") {
  const std::vector<std::string> values = {R"({"n":12345678901234567890, "x":1.10, "z":1,"a":2})",
                                           "1e400",
                                           "1234567890123456789012345678901234567890",
                                           "{ }",
                                           "[ 1 ,\n\t2 ]",
                                           R"("\u0041\/ \ud83d\ude00 é €")",
                                           R"({"s":"]}\"{[\\","t":"\\"})",
                                           std::string(100, '[') + std::string(100, ']'),
                                           "null",
                                           "-0.0"};
  for (const std::string& value : values) {
    const std::string text =
        " {\"before\" : [1,\"}\"] ,\n\"data\" :\t" + value + " , \"after\":{}}";
    const auto members = json_members(checked(text));
    REQUIRE(members.ok());
    REQUIRE(members->size() == 3);
    CHECK((*members)[1].key == "data");
    CHECK((*members)[1].value.text == value);
    CHECK((*members)[1].value.kind == checked(value).kind);
    CHECK((*members)[2].value.text == "{}");
  }
}

TEST_CASE("members come in their order with unescaped keys") {
  const auto members = json_members(checked(R"({"z":1,"\u0061":2,"":3,"\"":4,"é":5})"));
  REQUIRE(members.ok());
  std::string keys;
  for (const JsonMember& member : *members) keys += member.key + "|";
  CHECK(keys == "z|a||\"|é|");
  CHECK(json_members(checked("{ }"))->empty());
}

TEST_CASE("a key that occurs twice is refused and named") {
  CHECK(json_members(checked(R"({"a":1,"b":2,"a":3})")).status().message() ==
        "the key \"a\" occurs twice");
  CHECK_FALSE(json_members(checked(R"({"a":1,"\u0061":2})")).ok());
  CHECK(json_members(checked(R"({"a":1,"A":2})")).ok());
  CHECK(json_members(checked(R"({"a":{"x":1},"b":{"x":1}})")).ok());
}

TEST_CASE("a double key is found among many") {
  std::string text = "{\"first\":0";
  for (int i = 0; i < 100'000; ++i)
    text += ",\"key " + std::to_string(i) + "\":" + std::to_string(i);
  CHECK(json_members(checked(text + "}"))->size() == 100'001);
  CHECK(json_members(checked(text + ",\"key 77777\":1}")).status().message() ==
        "the key \"key 77777\" occurs twice");
}

TEST_CASE("elements come in their order") {
  const std::vector<JsonSlice> elements =
      json_elements(checked(R"([ 1 , [2,"]"], {"a":[]} ,"x",null])"));
  REQUIRE(elements.size() == 5);
  CHECK(elements[0].text == "1");
  CHECK(elements[1].text == R"([2,"]"])");
  CHECK(elements[2].text == R"({"a":[]})");
  CHECK(elements[3].text == "\"x\"");
  CHECK(elements[4].kind == JsonKind::null);
  CHECK(json_elements(checked("[ ]")).empty());
}

TEST_CASE("strings are unescaped") {
  CHECK(json_string(checked(R"("")")).empty());
  CHECK(json_string(checked(R"("plain")")) == "plain");
  CHECK(json_string(checked(R"("\"\\\/\b\f\n\r\t")")) == "\"\\/\b\f\n\r\t");
  CHECK(json_string(checked(R"("a\u0000b")")) == "a\0b"sv);
  CHECK(json_string(checked(R"("\u007f\u0080\u07ff\u0800\uFFFF")")) ==
        "\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf");
  CHECK(json_string(checked(R"("<\ud83d\uDE00>\udbff\udfff\ud800\udc00")")) ==
        "<\xf0\x9f\x98\x80>\xf4\x8f\xbf\xbf\xf0\x90\x80\x80");
  CHECK(json_string(checked(R"("é\n€")")) == "é\n€");
}

TEST_CASE("unsigned integers are read, and nothing that only looks like one") {
  CHECK(json_unsigned(checked("0")) == 0U);
  CHECK(json_unsigned(checked("42")) == 42U);
  CHECK(json_unsigned(checked("18446744073709551615")) == 18446744073709551615U);
  for (const char* text : {"18446744073709551616", "-0", "-1", "1.0", "1e2", "1E2", "\"1\"", "true",
                           "null", "[]", "1234567890123456789012345678901234567890"}) {
    INFO(text);
    CHECK_FALSE(json_unsigned(checked(text)).has_value());
  }
}

TEST_CASE("only what must be is escaped") {
  CHECK(quoted("") == "\"\"");
  CHECK(quoted("plain / text ~ \x7f") == "\"plain / text ~ \x7f\"");
  CHECK(quoted("\"\\") == R"("\"\\")");
  CHECK(quoted("\b\f\n\r\t") == R"("\b\f\n\r\t")");
  CHECK(quoted("\0\x01\x1f"sv) == R"("\u0000\u0001\u001f")");
  CHECK(quoted("é€😀") == "\"é€😀\"");
}

TEST_CASE("each byte that is not UTF-8 becomes a replacement character") {
  const std::string replacement = "\xef\xbf\xbd";
  CHECK(quoted("a\xff"
               "b") == "\"a" + replacement + "b\"");
  CHECK(quoted("\xc3") == "\"" + replacement + "\"");
  CHECK(quoted("\xed\xa0\x80") == "\"" + replacement + replacement + replacement + "\"");
  CHECK(quoted("\xc3(") == "\"" + replacement + "(\"");
}

TEST_CASE("appending leaves what is there") {
  std::string out = "x=";
  append_json_string(out, "y");
  CHECK(out == "x=\"y\"");
}

TEST_CASE("UTF-8 is told from other bytes") {
  CHECK(is_utf8(""));
  CHECK(is_utf8("plain text, longer than one word\0 with a zero"sv));
  CHECK(is_utf8("é€😀 and then some"));
  for (const std::string_view bad :
       {"\x80"sv, "abcdefgh\xc3"sv, "\xc0\xaf"sv, "\xe0\x80\x80"sv, "\xed\xb0\x80"sv,
        "\xf4\x90\x80\x80"sv, "\xf8"sv, "abcdefg\xf0\x9f\x98"sv}) {
    INFO(bad);
    CHECK_FALSE(is_utf8(bad));
  }
}

TEST_CASE("unchecked bytes are no danger to those who take JSON apart") {
  for (const std::string_view text :
       {""sv, "{"sv, "{\""sv, "{\"a"sv, "{\"a\\"sv, "{\"a\""sv, "{\"a\":"sv, "{\"a\":\""sv,
        "{\"a\":["sv, "{\"a\":[\"\\"sv, "{\"a\":1"sv, "{\"a\":1,"sv, "}"sv, "nonsense"sv}) {
    INFO(text);
    CHECK_FALSE(json_members({JsonKind::object, text}).ok());
  }
  CHECK(json_elements({JsonKind::array, "[1,"sv}).size() == 1);
  for (const std::string_view text : {""sv, "\""sv, "\"\\\""sv, "\"\\u\""sv, "\"\\u12\""sv,
                                      "\"\\ud83d\""sv, "\"\\ud83d\\u\""sv, "\"\\uzzzz\""sv}) {
    CHECK(json_string({JsonKind::string, text}).size() <= text.size());
  }
}

}  // namespace
}  // namespace vouch::format
