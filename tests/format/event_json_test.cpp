// Events as the HTTP API shows them, media types, and metadata.
#include "format/event_json.h"

#include <catch2/catch.hpp>
#include <string>

#include "format/json_text.h"
#include "format/metadata.h"

namespace vouch::format {
namespace {

EventView example() {
  EventView event;
  event.id = *EventId::parse("0ujtsYcgvSTl8PAuAdqWYSMnLOv");
  event.stream = "account-42";
  event.version = Version{9};
  event.type = "deposited";
  event.time = Timestamp{1'400'000'000'123'456};
  event.content_type = "application/json";
  event.data = R"({ "n":12345678901234567890, "x":1.10 })";
  return event;
}

std::string shown(const EventView& event, std::string_view cursor = {}) {
  std::string out;
  append_event_json(out, event, cursor);
  CHECK(parse_json(out).ok());
  return out;
}

TEST_CASE("JSON media types are told from others") {
  for (const char* type :
       {"application/json", "APPLICATION/JSON", "application/json; charset=utf-8",
        "application/json;x=y", " application/json ", "application/json\t;a=b",
        "application/cloudevents+json", "application/vnd.shop.order.v2+JSON", "text/x+json",
        "application/problem+json; a=\"b\""}) {
    INFO(type);
    CHECK(is_json_media_type(type));
  }
  for (const char* type :
       {"", "json", "+json", "/json", "application", "application/", "application/jsonx",
        "application/x-json", "application/x-ndjson", "text/json", "text/plain",
        "text/plain; x=+json", "application/json+xml", "application/+json", "/x+json",
        "application/octet-stream", "xapplication/json", "application/ json"}) {
    INFO(type);
    CHECK_FALSE(is_json_media_type(type));
  }
}

TEST_CASE("an event shows its data byte for byte") {
  CHECK(shown(example()) ==
        R"({"id":"0ujtsYcgvSTl8PAuAdqWYSMnLOv","stream":"account-42","version":9,)"
        R"("type":"deposited","time":"2014-05-13T16:53:20.123456Z",)"
        R"("data":{ "n":12345678901234567890, "x":1.10 }})");
}

TEST_CASE("an event shows metadata and cursor when it has them") {
  EventView event = example();
  event.data = "1";
  event.metadata = R"({ "user":"u" })";
  CHECK(shown(event, "cZm9v") ==
        R"({"id":"0ujtsYcgvSTl8PAuAdqWYSMnLOv","stream":"account-42","version":9,)"
        R"("type":"deposited","time":"2014-05-13T16:53:20.123456Z","data":1,)"
        R"("metadata":{ "user":"u" },"cursor":"cZm9v"})");
}

TEST_CASE("data that is not JSON is shown as base64 with its content type") {
  EventView event = example();
  event.content_type = "text/plain";
  event.data = "foob";
  CHECK(shown(event).find(R"(,"data_base64":"Zm9vYg==","content_type":"text/plain"})") !=
        std::string::npos);
  event.content_type = "";
  CHECK(shown(event).find(R"(,"data_base64":"Zm9vYg=="})") != std::string::npos);
}

TEST_CASE("a JSON type other than application/json is named") {
  EventView event = example();
  event.content_type = "application/vnd.x+json";
  event.data = "[]";
  CHECK(shown(event).find(R"(,"data":[],"content_type":"application/vnd.x+json"})") !=
        std::string::npos);
}

TEST_CASE("an event without data shows none") {
  EventView event = example();
  event.data = "";
  CHECK(shown(event).find("data") == std::string::npos);
}

TEST_CASE("names in an event are escaped") {
  EventView event = example();
  event.type = "a\"b\n\xff";
  CHECK(shown(event).find("\"type\":\"a\\\"b\\n\xef\xbf\xbd\"") != std::string::npos);
}

TEST_CASE("a member is put in front of metadata without touching the rest") {
  CHECK(with_member("", "k", "v") == R"({"k":"v"})");
  CHECK(with_member("{}", "k", "v") == R"({"k":"v"})");
  CHECK(with_member("{ \n}", "k", "v") == R"({"k":"v"})");
  CHECK(with_member(R"({ "a" : 1.10 , "b":[ ] })", "k", "v") ==
        R"({"k":"v", "a" : 1.10 , "b":[ ] })");
  CHECK(with_member("", "k\"", "v\n") == R"({"k\"":"v\n"})");
}

TEST_CASE("a member that is there already stays") {
  for (const char* metadata :
       {R"({"k":"old"})", R"({"a":1,"k":null})", R"({ "\u006b" : 7 })", R"({"k":{"k":"v"}})"}) {
    CHECK(with_member(metadata, "k", "v") == metadata);
  }
  CHECK(with_member(R"({"a":{"k":1},"b":"k"})", "k", "v") == R"({"k":"v","a":{"k":1},"b":"k"})");
}

TEST_CASE("a string member is found by name") {
  const std::string metadata = R"({"a":"x\ny","n":1,"o":{"inner":"z"},"\u0062":"w","":"empty"})";
  CHECK(string_member(metadata, "a") == "x\ny");
  CHECK(string_member(metadata, "b") == "w");
  CHECK(string_member(metadata, "") == "empty");
  CHECK_FALSE(string_member(metadata, "n"));
  CHECK_FALSE(string_member(metadata, "inner"));
  CHECK_FALSE(string_member(metadata, "x"));
  CHECK_FALSE(string_member("", "a"));
  CHECK_FALSE(string_member("{}", "a"));
}

}  // namespace
}  // namespace vouch::format
