// Events that go out as structured CloudEvents.
#include <catch2/catch.hpp>
#include <limits>
#include <string>

#include "format/cloud_event.h"

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
  event.data = R"({ "x":1.10 })";
  return event;
}

std::string written(const EventView& event, bool redelivered = false) {
  std::string out;
  append_cloud_event(out, event, "shop", redelivered);
  const Result<JsonSlice> slice = parse_json(out);
  CHECK(slice.ok());
  if (slice.ok()) CHECK(json_members(*slice).ok());
  return out;
}

/// What stands between `sequence` and `data`.
std::string extensions(std::string_view metadata, bool redelivered = false) {
  EventView event = example();
  event.metadata = metadata;
  const std::string out = written(event, redelivered);
  const std::string before = R"("sequence":"00000000000000000009")";
  const std::size_t begin = out.find(before) + before.size();
  return out.substr(begin, out.find(",\"data\":") - begin);
}

TEST_CASE("an event goes out with its stream, version and data") {
  CHECK(written(example()) ==
        R"({"id":"0ujtsYcgvSTl8PAuAdqWYSMnLOv","source":"/shop/account-42","specversion":"1.0",)"
        R"("type":"deposited","time":"2014-05-13T16:53:20.123456Z",)"
        R"("datacontenttype":"application/json","subject":"account-42",)"
        R"("partitionkey":"account-42","sequence":"00000000000000000009","data":{ "x":1.10 }})");
}

TEST_CASE("in binary mode an event has the same attributes, as text") {
  EventView event = example();
  event.metadata = R"({"user1":"\u00e9\n","n":1,"correlation_id":"c","id":"no"})";
  using Attributes = std::vector<std::pair<std::string, std::string>>;
  const Attributes expected = {{"content-type", "application/json"},
                               {"id", "0ujtsYcgvSTl8PAuAdqWYSMnLOv"},
                               {"source", "/shop/account-42"},
                               {"specversion", "1.0"},
                               {"type", "deposited"},
                               {"time", "2014-05-13T16:53:20.123456Z"},
                               {"subject", "account-42"},
                               {"partitionkey", "account-42"},
                               {"sequence", "00000000000000000009"},
                               {"user1", "\u00e9\n"},
                               {"correlationid", "c"},
                               {"redelivered", "true"}};
  CHECK(cloud_event_attributes(event, "shop", true) == expected);
  event.content_type = "";
  event.metadata = "";
  CHECK(cloud_event_attributes(event, "shop").front().first == "id");
  CHECK(cloud_event_attributes(event, "shop").size() == 8);
}

TEST_CASE("bytes go out as base64 and no data as none") {
  EventView event = example();
  event.content_type = "image/png";
  event.data = "foob";
  const std::string bytes = written(event);
  CHECK(bytes.find(R"("datacontenttype":"image/png")") != std::string::npos);
  CHECK(bytes.find(R"("data_base64":"Zm9vYg==")") != std::string::npos);
  event.content_type = "";
  event.data = "";
  CHECK(written(event).find("data") == std::string::npos);
}

TEST_CASE("the sequence sorts as text") {
  EventView event = example();
  event.version = Version{std::numeric_limits<std::uint64_t>::max()};
  CHECK(written(event).find(R"("sequence":"18446744073709551615")") != std::string::npos);
}

TEST_CASE("string metadata with legal names becomes extensions as it stands") {
  CHECK(extensions("").empty());
  CHECK(extensions("{}").empty());
  CHECK(extensions(R"({ "traceparent" : "00-ab" ,"tracestate":"x=y","user1":"\u00e9"})") ==
        R"(,"traceparent":"00-ab","tracestate":"x=y","user1":"\u00e9")");
  CHECK(extensions(R"({"dataschema":"https://x/y"})") == R"(,"dataschema":"https://x/y")");
}

TEST_CASE("other metadata stays inside") {
  CHECK(extensions(R"({"n":1,"b":true,"z":null,"o":{"x":"y"},"l":["x"],"Upper":"x","a_b":"x",)"
                   R"("a-b":"x","":"x","é":"x","\u0061":"x","ce_source":"/s","ce_id":"1"})")
            .empty());
}

TEST_CASE("metadata can't replace what the host writes") {
  CHECK(extensions(R"({"id":"x","source":"x","specversion":"x","type":"x","datacontenttype":"x",)"
                   R"("subject":"x","time":"x","data":"x","data_base64":"x","partitionkey":"x",)"
                   R"("sequence":"x","redelivered":"x","kept":"y"})") == R"(,"kept":"y")");
}

TEST_CASE("both spellings of correlation and causation go out under the one legal name") {
  CHECK(extensions(R"({"correlation_id":"c","causation_id":"d"})") ==
        R"(,"correlationid":"c","causationid":"d")");
  CHECK(extensions(R"({"correlationid":"c","causationid":"d"})") ==
        R"(,"correlationid":"c","causationid":"d")");
  CHECK(extensions(R"({"correlation_id":"old","correlationid":"new"})") ==
        R"(,"correlationid":"new")");
  CHECK(extensions(R"({"causationid":7,"causation_id":"d"})") == R"(,"causationid":"d")");
}

TEST_CASE("a redelivered event says so") {
  CHECK(extensions(R"({"redelivered":"no"})", true) == R"(,"redelivered":"true")");
}

TEST_CASE("what was read as a CloudEvent goes out with its extensions") {
  const std::string in =
      R"({"specversion":"1.0","id":"a","source":"/s","type":"t","datacontenttype":"text/plain",)"
      R"("time":"2026-01-01T00:00:00Z","subject":"q","ext":"v","data":"h\u00e9"})";
  const auto read = read_cloud_event(*parse_json(in), Timestamp{});
  REQUIRE(read.ok());
  EventView event = example();
  event.type = read->type;
  event.time = read->time;
  event.content_type = read->content_type;
  event.data = read->data;
  event.metadata = read->metadata;
  CHECK(written(event) ==
        R"({"id":"0ujtsYcgvSTl8PAuAdqWYSMnLOv","source":"/shop/account-42","specversion":"1.0",)"
        R"("type":"t","time":"2026-01-01T00:00:00.000000Z","datacontenttype":"text/plain",)"
        R"("subject":"account-42","partitionkey":"account-42",)"
        R"("sequence":"00000000000000000009","ext":"v","data_base64":"aMOp"})");
}

}  // namespace
}  // namespace vouch::format
