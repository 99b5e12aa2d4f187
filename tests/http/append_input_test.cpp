// What an append takes and refuses: the three forms of events, limits, headers.
#include <catch2/catch.hpp>

#include "server_under_test.h"

namespace vouch::tests {
namespace {

TEST_CASE("data comes back byte for byte") {
  const ServerUnderTest server;
  const std::string data =
      "{ \"b\":1.10,  \"a\":12345678901234567890123,\n \"e\":1E400, \"s\":\"\\u00e4\\/\" }";
  const Answer answer =
      server.append("odd-1", R"({"data":)" + data + R"(,"type":"odd","metadata":{ "k" : 1.0 }})");
  REQUIRE(answer.status == 201);
  const Answer read = server.ask("GET", "/v1/streams/odd-1/events");
  CHECK(read.has("\"data\":" + data));
  CHECK(read.has("\"metadata\":{ \"k\" : 1.0 }"));
  const std::string id = server.world.database.events().at(0).id.to_string();
  CHECK(server.ask("GET", "/v1/events/" + id).has("\"data\":" + data));
  // On a line of its own, a line break between tokens becomes a space, and nothing else changes.
  std::string line = data;
  line[line.find('\n')] = ' ';
  const Answer lines =
      server.ask("GET", "/v1/streams/odd-1/events", {{"Accept", "application/x-ndjson"}});
  CHECK(lines.has("\"data\":" + line));
  CHECK(count_of(lines.body, "\n") == 1);
}

TEST_CASE("data of every shape comes back byte for byte, read, followed up by id and on the feed") {
  const ServerUnderTest server;
  std::string deep = "0";
  for (int i = 0; i < 100; ++i) deep = i % 2 == 0 ? "[" + deep + "]" : R"({"d":)" + deep + "}";
  const std::vector<std::string> shapes = {R"({"n":12345678901234567890, "x":1.10, "z":1,"a":2})",
                                           "{}",
                                           deep,
                                           "\"Grüße, 世界 \xF0\x9F\x8C\x8D\"",
                                           R"("\u0041\n\"\\\/\ud83c\udf0d")",
                                           "[]",
                                           "null",
                                           "-0.0e-10"};
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    INFO(shapes[i]);
    const std::string path = "/v1/streams/shape-" + std::to_string(i) + "/events";
    REQUIRE(server.append("shape-" + std::to_string(i), R"({"type":"t","data":)" + shapes[i] + "}")
                .status == 201);
    const std::string member = "\"data\":" + shapes[i] + "}";
    CHECK(server.ask("GET", path).has(member));
    CHECK(server.ask("GET", path, {{"Accept", "application/x-ndjson"}}).has(member));
    CHECK(server.ask("GET", "/v1/events?stream=shape-" + std::to_string(i))
              .has("\"data\":" + shapes[i]));
    const std::string id = server.world.database.events().at(i).id.to_string();
    CHECK(server.ask("GET", "/v1/events/" + id).has(member));
  }
}

TEST_CASE("what is malformed is refused with its place, and nothing is written") {
  http::HttpOptions options;
  options.event_bytes = 1'000;
  options.events_per_append = 3;
  options.body_bytes = 10'000;
  const ServerUnderTest server(options);
  struct Row {
    std::string body;
    int status;
    std::string detail;
  };
  const std::string good = R"({"type":"t","data":1})";
  const Row rows[] = {
      {"{\"type\": }", 400, "column"},
      {"", 400, "JSON"},
      {"7", 400, "array"},
      {"[]", 400, "empty"},
      {"[" + good + ",7]", 400, "events[1] must be an object"},
      {R"({"data":1})", 400, "event.type is missing"},
      {R"({"type":"t"})", 400, "event.data is missing"},
      {R"({"type":"","data":1})", 400, "event.type"},
      {R"({"type":7,"data":1})", 400, "event.type"},
      {R"({"type":")" + std::string(256, 't') + R"(","data":1})", 400, "255"},
      {"[" + good + R"(,{"type":7,"data":1}])", 400, "events[1].type"},
      {R"({"type":"t","data":1,"dta":2})", 400, "event.dta is unknown"},
      {R"({"type":"t","data":1,"data":2})", 400, "data"},
      {R"({"type":"t","data":1,"metadata":[]})", 400, "event.metadata"},
      {R"({"type":"t","data":1,"id":"short"})", 400, "event.id"},
      {R"({"type":"t","data":1,"id":7})", 400, "event.id"},
      {"[" + good + "," + good + "," + good + "," + good + "]", 413, "3"},
      {R"({"type":"t","data":")" + std::string(1'000, 'x') + R"("})", 413, "events[0]"},
      {std::string(10'001, ' '), 413, "10000"},
  };
  for (const Row& row : rows) {
    INFO(row.body.substr(0, 100));
    const Answer answer = server.append("a-1", row.body);
    check_problem(answer, row.status, row.status == 413 ? "too-large" : "bad-request");
    CHECK(answer.has(row.detail));
  }
  CHECK(server.world.database.events().empty());
}

TEST_CASE("bad headers, parameters and stream names of an append are refused in words") {
  const ServerUnderTest server;
  const std::string good = R"({"type":"t","data":1})";
  const FieldList rows[] = {
      {{"If-Match", "7"}},
      {{"If-Match", "W/\"7\""}},
      {{"If-Match", "\"a\""}},
      {{"If-Match", "\"1\", \"2\""}},
      {{"If-Match", "\"-1\""}},
      {{"If-None-Match", "\"7\""}},
      {{"If-Match", "\"7\""}, {"If-None-Match", "*"}},
      {{"If-Match", "\"7\""}, {"If-Match", "\"8\""}},
      {{"Idempotency-Key", ""}},
      {{"Idempotency-Key", "two words"}},
      {{"Idempotency-Key", std::string(256, 'k')}},
  };
  for (const FieldList& fields : rows) {
    INFO(fields[0].first << ": " << fields[0].second);
    check_problem(server.append("a-1", good, fields), 400, "bad-request");
  }
  for (const char* query :
       {"?ack=maybe", "?wait=5s", "?ack=delivered&wait=61s", "?ack=delivered&wait=5", "?unknown=1",
        "?ack=delivered&ack=delivered"}) {
    INFO(query);
    check_problem(server.append("a-1", good, {}, query), 400, "bad-request");
  }
  for (const char* stream : {"a%20b", "%C3%A4", "a%2Fb", "a*"}) {
    INFO(stream);
    check_problem(server.append(stream, good), 400, "bad-request");
  }
  check_problem(server.append(std::string(256, 'a'), good), 400, "bad-request");
  CHECK(server.world.database.events().empty());
}

TEST_CASE("content types are taken with their usual parameters, and others refused") {
  const ServerUnderTest server;
  const std::string good = R"({"type":"t","data":1})";
  const auto status = [&](const char* type) {
    return server.ask("POST", "/v1/streams/a-1/events", {{"Content-Type", type}}, good).status;
  };
  CHECK(status("application/json; charset=UTF-8") == 201);
  CHECK(status("APPLICATION/JSON") == 201);
  CHECK(status("application/json; charset=latin1") == 415);
  CHECK(status("text/plain") == 415);
  CHECK(status("nonsense") == 400);
  const Answer none = server.ask("POST", "/v1/streams/a-1/events", {}, good);
  check_problem(none, 415, "unsupported-media-type");
  CHECK(none.field("Accept-Post").find("application/cloudevents+json") != std::string::npos);
}

TEST_CASE("CloudEvents are taken one by one, in batches and in binary mode") {
  const ServerUnderTest server;
  const std::string event =
      R"({"specversion":"1.0","id":"x-1","source":"/s","type":"placed","data":{"n": 1.0}})";
  const Answer one = server.ask("POST", "/v1/streams/order-1/events",
                                {{"Content-Type", "application/cloudevents+json"}}, event);
  CHECK(one.status == 201);
  const Answer batch =
      server.ask("POST", "/v1/streams/order-1/events",
                 {{"Content-Type", "application/cloudevents-batch+json; charset=utf-8"}},
                 "[" + event + "," + event + "]");
  CHECK(batch.has(R"("first_version":2,"last_version":3)"));
  const std::string bytes("\x00\xff\n", 3);
  const Answer binary = server.ask("POST", "/v1/streams/order-1/events",
                                   {{"Content-Type", "image/png"},
                                    {"ce-specversion", "1.0"},
                                    {"Ce-Id", "b-1"},
                                    {"ce-source", "/caf%C3%A9"},
                                    {"ce-type", "shot"}},
                                   bytes);
  CHECK(binary.status == 201);
  const Answer json = server.ask("POST", "/v1/streams/order-1/events",
                                 {{"Content-Type", "application/json"},
                                  {"ce-specversion", "1.0"},
                                  {"ce-id", "b-2"},
                                  {"ce-source", "/s"},
                                  {"ce-type", "noted"}},
                                 "[1, 2]");
  CHECK(json.status == 201);
  const std::vector<Event> events = server.world.database.events();
  REQUIRE(events.size() == 5);
  CHECK(events[0].data == R"({"n": 1.0})");
  CHECK(events[3].data == bytes);
  CHECK(events[3].content_type == "image/png");
  CHECK(events[3].metadata.find("/caf\xc3\xa9") != std::string::npos);
  CHECK(events[4].data == "[1, 2]");
  const Answer read = server.ask("GET", "/v1/streams/order-1/events");
  CHECK(read.has(R"("data_base64":"AP8K","content_type":"image/png")"));
}

TEST_CASE("CloudEvents that lack what they need are refused with their place") {
  const ServerUnderTest server;
  const std::string type = "application/cloudevents-batch+json";
  const std::string good = R"({"specversion":"1.0","id":"x-1","source":"/s","type":"placed"})";
  const auto post = [&](const std::string& body, const FieldList& fields) {
    return server.ask("POST", "/v1/streams/order-1/events", fields, body);
  };
  const Answer lacking = post("[" + good + R"(,{"specversion":"1.0","id":"x","source":"/s"}])",
                              {{"Content-Type", type}});
  check_problem(lacking, 400, "bad-request");
  CHECK(lacking.has("events[1]"));
  check_problem(post(good, {{"Content-Type", type}}), 400, "bad-request");
  check_problem(post("[7]", {{"Content-Type", type}}), 400, "bad-request");
  check_problem(post("[]", {{"Content-Type", "application/cloudevents+json"}}), 400, "bad-request");
  check_problem(post("x", {{"Content-Type", "text/plain"}, {"ce-type", "t"}}), 400, "bad-request");
  check_problem(post("{", {{"Content-Type", "application/json"},
                           {"ce-specversion", "1.0"},
                           {"ce-id", "b"},
                           {"ce-source", "/s"},
                           {"ce-type", "t"}}),
                400, "bad-request");
  CHECK(server.world.database.events().empty());
}

}  // namespace
}  // namespace vouch::tests
