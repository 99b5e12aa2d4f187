// What an append takes: the three forms of events, and what comes back of them.
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

}  // namespace
}  // namespace vouch::tests
