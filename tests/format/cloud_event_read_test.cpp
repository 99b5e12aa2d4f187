// Reading CloudEvents 1.0 of the structured and the binary mode.
#include <catch2/catch.hpp>
#include <string>
#include <utility>
#include <vector>

#include "format/cloud_event.h"

namespace vouch::format {
namespace {

constexpr Timestamp kNow{1'400'000'000'000'000};
const std::string kKsuid = "0ujtsYcgvSTl8PAuAdqWYSMnLOv";

Result<NewEvent> read(std::string_view text) {
  const Result<JsonSlice> slice = parse_json(text);
  REQUIRE(slice.ok());
  return read_cloud_event(*slice, kNow);
}

/// The required attributes and `more`.
Result<NewEvent> read_with(const std::string& more) {
  return read(R"({"specversion":"1.0","id":"1","source":"/s","type":"t")" + more + "}");
}

using Headers = std::vector<std::pair<std::string, std::string>>;
const Headers kRequired = {{"specversion", "1.0"}, {"id", "1"}, {"source", "/s"}, {"type", "t"}};

Result<NewEvent> read_binary(const Headers& more, std::string_view content_type,
                             std::string_view body) {
  Headers headers = kRequired;
  headers.insert(headers.end(), more.begin(), more.end());
  return read_cloud_event(headers, content_type, body, kNow);
}

std::string reason(const Result<NewEvent>& result) {
  CHECK_FALSE(result.ok());
  if (result.ok()) return {};
  CHECK(result.status().code() == StatusCode::invalid_argument);
  return result.status().message();
}

TEST_CASE("a structured CloudEvent becomes an event") {
  const auto event = read(R"({
    "specversion" : "1.0", "id" : "order-7-paid", "source" : "/shop/till/3", "type" : "order.paid",
    "subject" : "order-7", "time" : "2026-04-05T19:31:00.25+02:00",
    "dataschema" : "https://shop.example/paid.json", "datacontenttype" : "application/json",
    "traceparent" : "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "retries" : 3, "gift" : true, "absent" : null,
    "data" : { "amount":12345678901234567890, "rate":1.10 }
  })");
  REQUIRE(event.ok());
  CHECK(event->id == EventId{});
  CHECK(event->type == "order.paid");
  CHECK(event->time == Timestamp{1'775'410'260'250'000});
  CHECK(event->content_type == "application/json");
  CHECK(event->data == R"({ "amount":12345678901234567890, "rate":1.10 })");
  CHECK(event->metadata ==
        R"({"ce_id":"order-7-paid","ce_source":"/shop/till/3","ce_subject":"order-7",)"
        R"("dataschema":"https://shop.example/paid.json",)"
        R"("traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",)"
        R"("retries":3,"gift":true})");
}

TEST_CASE("the smallest CloudEvent has no data and happens now") {
  const auto event = read_with("");
  REQUIRE(event.ok());
  CHECK(event->time == kNow);
  CHECK(event->data.empty());
  CHECK(event->content_type.empty());
  CHECK(event->metadata == R"({"ce_id":"1","ce_source":"/s"})");
}

TEST_CASE("an id that is a KSUID is the event's id") {
  const auto event =
      read(R"({"id":")" + kKsuid + R"(","source":"s","type":"t","specversion":"1.0"})");
  REQUIRE(event.ok());
  CHECK(event->id.to_string() == kKsuid);
  CHECK(event->metadata == R"({"ce_source":"s"})");
  const auto zero =
      read(R"({"id":"000000000000000000000000000","source":"s","type":"t","specversion":"1.0"})");
  REQUIRE(zero.ok());
  CHECK(zero->metadata == R"({"ce_id":"000000000000000000000000000","ce_source":"s"})");
}

TEST_CASE("values are kept as they stand in the metadata") {
  const auto event = read_with(R"(,"b":"\u00e9\/","a":1.50e3,"c":false)");
  REQUIRE(event.ok());
  CHECK(event->metadata == R"({"ce_id":"1","ce_source":"/s","b":"\u00e9\/","a":1.50e3,"c":false})");
  CHECK(parse_json(event->metadata).ok());
}

TEST_CASE("data of a JSON type is any JSON value, as it stands") {
  for (const std::string data : {"{ }", "null", "1e400", "\"text\"", "[ 1 ,2]", "false"}) {
    for (const std::string type : {"", R"(,"datacontenttype":"application/json")",
                                   R"(,"datacontenttype":"application/vnd.x+json")"}) {
      const auto event = read_with(type + ",\"data\":" + data);
      REQUIRE(event.ok());
      CHECK(event->data == data);
    }
  }
  CHECK(read_with(R"(,"data":1)")->content_type == "application/json");
}

TEST_CASE("data of another type is the text of a string") {
  const auto event = read_with(R"(,"datacontenttype":"text/xml","data":"<a b=\"c\"/>\n")");
  REQUIRE(event.ok());
  CHECK(event->data == "<a b=\"c\"/>\n");
  CHECK(event->content_type == "text/xml");
  CHECK(reason(read_with(R"(,"datacontenttype":"text/xml","data":{})")).find("\"data\"") == 0);
}

TEST_CASE("data_base64 is decoded") {
  const auto plain = read_with(R"(,"data_base64":"Zm9vYg==")");
  REQUIRE(plain.ok());
  CHECK(plain->data == "foob");
  CHECK(plain->content_type == "application/octet-stream");
  const auto json = read_with(R"(,"datacontenttype":"application/json","data_base64":"WzFd")");
  REQUIRE(json.ok());
  CHECK(json->data == "[1]");
  CHECK(read_with(R"(,"data_base64":null)")->data.empty());
  CHECK(reason(read_with(R"(,"data_base64":"Zm9vYg")")) == "\"data_base64\" is not base64");
  CHECK(reason(read_with(R"(,"data_base64":1)")) == "\"data_base64\" must be a string");
  CHECK(reason(read_with(R"(,"data":1,"data_base64":"Zg==")")).find("exclude") !=
        std::string::npos);
  CHECK(reason(read_with(R"(,"datacontenttype":"application/json","data_base64":"Zm9v")"))
            .find("\"data_base64\" is not JSON: line 1, column 1") == 0);
}

TEST_CASE("a required attribute that is missing, null or empty is named") {
  const std::vector<std::pair<std::string, std::string>> required = {
      {"specversion", "1.0"}, {"id", "1"}, {"source", "/s"}, {"type", "t"}};
  for (const auto& [missing, unused] : required) {
    std::string others;
    for (const auto& [name, value] : required) {
      if (name != missing) others += ",\"" + name + "\":\"" + value + "\"";
    }
    const std::string begin = "{\"x\":1" + others;
    CHECK(reason(read(begin + "}")) == "\"" + missing + "\" is missing");
    CHECK(reason(read(begin + ",\"" + missing + "\":null}")) == "\"" + missing + "\" is missing");
    CHECK(reason(read(begin + ",\"" + missing + "\":\"\"}")) ==
          "\"" + missing + "\" must not be empty");
    CHECK(reason(read(begin + ",\"" + missing + "\":1}")) ==
          "\"" + missing + "\" must be a string");
  }
}

TEST_CASE("attributes that break the rules are refused and named") {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {R"(,"time":"yesterday")", "\"time\" is not a time of RFC 3339"},
      {R"(,"time":"2026-02-30T00:00:00Z")", "\"time\" is not a time of RFC 3339"},
      {R"(,"time":1)", "\"time\" must be a string"},
      {R"(,"subject":"")", "\"subject\" must not be empty"},
      {R"(,"datacontenttype":"json")", "\"datacontenttype\" is not a media type"},
      {R"(,"datacontenttype":"a/b\r\nX: y")", "\"datacontenttype\" has a control character"},
      {R"(,"traceParent":"x")",
       "\"traceParent\" is not an attribute name: lower-case letters and digits"},
      {R"(,"my_ext":"x")", "\"my_ext\" is not an attribute name: lower-case letters and digits"},
      {R"(,"":"x")", "\"\" is not an attribute name: lower-case letters and digits"},
      {R"(,"ext":{})", "\"ext\" must be a string, a number or a boolean"},
      {R"(,"ext":[])", "\"ext\" must be a string, a number or a boolean"},
      {R"(,"ext":"a\u0000b")", "\"ext\" has a control character"},
      {R"(,"type":"again")", "the key \"type\" occurs twice"}};
  for (const auto& [more, message] : cases) {
    INFO(more);
    CHECK(reason(read_with(more)) == message);
  }
  CHECK(reason(read(R"({"specversion":"0.3","id":"1","source":"s","type":"t"})")) ==
        "\"specversion\" must be \"1.0\"");
  CHECK(reason(read("[]")) == "a CloudEvent is a JSON object");
}

TEST_CASE("the binary mode keeps the body as it is") {
  const std::string body("\0\xff\x01", 3);
  const auto event = read_binary(
      {{"subject", "q"}, {"ext", "é\""}, {"time", "2026-01-01T00:00:00Z"}}, "image/png", body);
  REQUIRE(event.ok());
  CHECK(event->data == body);
  CHECK(event->content_type == "image/png");
  CHECK(event->time == Timestamp{1'767'225'600'000'000});
  CHECK(event->metadata == R"({"ce_id":"1","ce_source":"/s","ce_subject":"q","ext":"é\""})");
}

TEST_CASE("a body without a content type is bytes, and no body is no data") {
  CHECK(read_binary({}, "", "x")->content_type == "application/octet-stream");
  CHECK(read_binary({}, "", "")->content_type.empty());
  CHECK(read_binary({}, "application/json", "")->data.empty());
}

TEST_CASE("a body that is said to be JSON must be") {
  CHECK(read_binary({}, "application/json; charset=utf-8", " { } ")->data == " { } ");
  CHECK(reason(read_binary({}, "application/json", "{")).find("\"body\" is not JSON: line 1") == 0);
  CHECK(read_binary({}, "text/plain", "{")->data == "{");
}

TEST_CASE("headers that break the rules are refused and named") {
  CHECK(reason(read_binary({{"type", "t"}}, "", "")) == "\"type\" occurs twice");
  CHECK(reason(read_binary({{"data", "t"}}, "", "")).find("\"data\"") == 0);
  CHECK(reason(read_binary({{"datacontenttype", "a/b"}}, "", "")).find("\"datacontenttype\"") == 0);
  CHECK(reason(read_binary({{"ext", "\xff"}}, "", "")) == "\"ext\" is not UTF-8");
  CHECK(reason(read_binary({{"my-ext", "x"}}, "", "")).find("\"my-ext\" is not an") == 0);
  CHECK(reason(read_binary({}, "png", "x")) == "Content-Type is not a media type");
  CHECK(reason(read_binary({}, "text/plain; charset=\xff", "x")) == "Content-Type is not UTF-8");
  CHECK(reason(read_cloud_event(Headers{{"id", "1"}, {"specversion", "1.0"}, {"source", "s"}}, "",
                                "", kNow)) == "\"type\" is missing");
}

}  // namespace
}  // namespace vouch::format
