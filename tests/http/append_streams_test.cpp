// Appending to several streams at once over HTTP: all or nothing, preconditions, retries, and every
// way to ask for it wrongly.
#include <catch2/catch.hpp>

#include "bad_input.h"

namespace vouch::tests {
namespace {

using testkit::Fault;
using testkit::Step;

const std::string kPath = "/v1/append";

std::string write(const std::string& stream, const std::string& more = {}) {
  return R"({"stream":")" + stream + R"(","events":[)" + kGood + "]" + more + "}";
}

std::string body_of(const std::string& writes, const std::string& preconditions = {}) {
  return R"({"writes":[)" + writes + "]" +
         (preconditions.empty() ? "" : R"(,"preconditions":[)" + preconditions + "]") + "}";
}

Answer append(const ServerUnderTest& server, const std::string& body, FieldList fields = {},
              const std::string& query = {}) {
  fields.emplace_back("Content-Type", kJson);
  return server.ask("POST", kPath + query, fields, body);
}

std::string id_of(const Event& event) {
  return '"' + event.id.to_string() + '"';
}

TEST_CASE("events for several streams are one transaction and are delivered") {
  const ServerUnderTest server;
  server.fill("a-1", 2);
  const Answer answer =
      append(server,
             body_of(R"({"stream":"a-1","expected":2,"events":[)" + kGood + "," + kGood + "]}," +
                         write("b-1") + "," + write("c-1", R"(,"expected":"none")"),
                     R"({"stream":"d-1","expected":"none"},{"stream":"e-1","expected":0})"),
             {}, "?ack=delivered&wait=10s");
  REQUIRE(answer.status == 201);
  CHECK(answer.field("ETag") == "(none)");
  std::vector<std::string> ids;
  for (const char* stream : {"a-1", "b-1", "c-1"}) {
    for (const Event& event : server.world.database.events()) {
      if (event.stream.str() == stream && event.version.value != 2 &&
          (stream[0] != 'a' || event.version.value > 2)) {
        ids.push_back(id_of(event));
      }
    }
  }
  REQUIRE(ids.size() == 4);
  CHECK(answer.body ==
        R"({"writes":[{"stream":"a-1","first_version":3,"last_version":4,"ids":[)" + ids[0] + "," +
            ids[1] + R"(]},{"stream":"b-1","first_version":1,"last_version":1,"ids":[)" + ids[2] +
            R"(]},{"stream":"c-1","first_version":1,"last_version":1,"ids":[)" + ids[3] +
            R"(]}],"tx":")" + answer.text("tx") + R"(","state":"delivered"})");
  CHECK(server.world.exchange.outbound().size() == 6);
}

TEST_CASE("one stream that is not what it must be keeps all of them unwritten") {
  const ServerUnderTest server;
  server.fill("a-1", 2);
  const Answer of_a_write = append(
      server, body_of(write("b-1") + "," + write("a-1", R"(,"expected":1)") + "," + write("c-1")));
  check_problem(of_a_write, 412, "wrong-expected-version");
  CHECK(of_a_write.has(R"("stream":"a-1","expected":1,"actual":2)"));
  const Answer of_another =
      append(server, body_of(write("b-1"), R"({"stream":"x-1","expected":"none"},)"
                                           R"({"stream":"a-1","expected":"none"})"));
  check_problem(of_another, 412, "wrong-expected-version");
  CHECK(of_another.has(R"("stream":"a-1","expected":"none","actual":2)"));
  const Answer missing =
      append(server, body_of(write("b-1"), R"({"stream":"x-1","expected":"exists"})"));
  CHECK(missing.has(R"("stream":"x-1","expected":"exists","actual":0)"));
  CHECK(server.world.database.events().size() == 2);
}

TEST_CASE(
    "an append of several streams is repeated by its key, which single streams do not share") {
  const ServerUnderTest server;
  const FieldList key = {{"Idempotency-Key", "k-1"}};
  const std::string body = body_of(write("a-1") + "," + write("b-1"));
  const Answer first = append(server, body, key);
  REQUIRE(first.status == 201);
  CHECK(server.append("a-1", kGood, key).status == 201);
  const Answer again = append(server, body, key);
  CHECK(again.status == 201);
  CHECK(again.field("Idempotent-Replayed") == "true");
  CHECK(again.body == first.body);
  check_problem(append(server, body_of(write("b-1") + "," + write("a-1")), key), 422,
                "unprocessable");
  CHECK(server.world.database.events().size() == 3);
}

TEST_CASE("a failed publish or commit of an append of several streams leaves nothing of any") {
  ServerUnderTest server;
  const std::string body = body_of(write("a-1") + "," + write("b-1") + "," + write("c-1"));
  const auto step = GENERATE(Step::publish_validation, Step::stage);
  server.world.faults.arm(step, Fault::fail, 1'000);
  const Answer answer = append(server, body);
  CHECK(answer.status == 503);
  CHECK(server.world.database.events().empty());
  server.world.faults.clear();
  CHECK(append(server, body).status == 201);
  CHECK(server.world.database.events().size() == 3);
}

TEST_CASE("a commit of several streams in doubt is asked for and answered with all of their ids") {
  ServerUnderTest server;
  server.world.faults.arm(Step::commit, Fault::lose);
  const Answer answer = append(server, body_of(write("a-1") + "," + write("b-1")));
  CHECK(answer.status == 201);
  CHECK(server.world.database.events().size() == 2);
}

TEST_CASE("the request's trace goes into the events of all streams") {
  const ServerUnderTest server;
  append(server, body_of(write("a-1") + "," + write("b-1")), {{"traceparent", "00-abc-def-01"}});
  for (const Event& event : server.world.database.events()) {
    CHECK(event.metadata == R"({"traceparent":"00-abc-def-01"})");
  }
}

Row wrong(std::string what, std::string body, std::string words) {
  return {std::move(what), "POST", kPath,         {{"Content-Type", kJson}},
          std::move(body), 400,    "bad-request", std::move(words)};
}

TEST_CASE("a wrong append of several streams is refused in words, and nothing is written") {
  Target target;
  const std::vector<Row> rows = {
      wrong("no body", "", "the body is not JSON"),
      wrong("an array", "[]", "the body must be an object"),
      wrong("nothing", "{}", "writes must name at least one stream"),
      wrong("no writes", body_of(""), "writes must name at least one stream"),
      wrong("writes that are no array", R"({"writes":{}})", "writes must be an array"),
      wrong("a write that is no object", body_of("7"), "writes[0] must be an object"),
      wrong("a member twice", body_of(R"({"stream":"a","stream":"b"})"), "writes[0]: "),
      wrong("an unknown member", R"({"writes":[],"condition":1})",
            "condition is unknown: writes and preconditions are known"),
      wrong("an unknown member of a write", body_of(write("a-1", R"(,"version":1)")),
            "writes[0].version is unknown: stream, expected and events are known"),
      wrong("nothing in a write", body_of("{}"), "writes[0].stream is missing"),
      wrong("a stream without a name", body_of(R"({"events":[)" + kGood + "]}"),
            "writes[0].stream is missing"),
      wrong("a bad stream name", body_of(write("a/1")), "writes[0].stream: a stream name is"),
      wrong("a stream that is a number", body_of(R"({"stream":1})"),
            "writes[0].stream must be a string"),
      wrong("no events", body_of(R"({"stream":"a-1"})"), "writes[0].events is missing"),
      wrong("an empty array", body_of(R"({"stream":"a-1","events":[]})"),
            "the array of events must not be empty"),
      wrong("one event without an array", body_of(R"({"stream":"a-1","events":{}})"),
            "writes[0].events must be an array of events"),
      wrong("a bad event", body_of(write("a-1") + R"(,{"stream":"b-1","events":[{"data":1}]})"),
            "writes[1].events[0].type is missing"),
      wrong("a negative version", body_of(write("a-1", R"(,"expected":-1)")),
            R"(writes[0].expected must be a version, \"none\", \"exists\" or \"any\")"),
      wrong("an unknown state", body_of(write("a-1", R"(,"expected":"some")")),
            "writes[0].expected must be a version"),
      wrong("a stream twice", body_of(write("a-1") + "," + write("a-1")),
            "writes[1].stream: a-1 is written twice"),
      wrong("a precondition on what is written",
            body_of(write("a-1"), R"({"stream":"a-1","expected":1})"),
            "preconditions[0].stream: a-1 stands here or in writes already"),
      wrong("a precondition without a demand", body_of(write("a-1"), R"({"stream":"b-1"})"),
            "preconditions[0].expected is missing"),
      wrong("a precondition without a stream", body_of(write("a-1"), R"({"expected":1})"),
            "preconditions[0].stream is missing"),
      wrong("a precondition with events",
            body_of(write("a-1"), R"({"stream":"b-1","expected":1,"events":[]})"),
            "preconditions[0].events is unknown: stream and expected are known"),
      {"more events than an append takes",
       "POST",
       kPath,
       {{"Content-Type", kJson}},
       body_of(write("a-1") + "," + write("b-1") + "," + write("c-1"),
               R"({"stream":"d-1","expected":"any"})"),
       413,
       "too-large",
       "at most 3 events and preconditions, this one has 4"},
      {"an event that is too large",
       "POST",
       kPath,
       {{"Content-Type", kJson}},
       body_of(write("a-1") + R"(,{"stream":"b-1","events":[{"type":"t","data":")" +
               std::string(1'000, 'x') + R"("}]})"),
       413,
       "too-large",
       "writes[1].events[0] has 1002 bytes"},
      {"another content type",
       "POST",
       kPath,
       {{"Content-Type", "text/plain"}},
       body_of(write("a-1")),
       415,
       "unsupported-media-type",
       "an append comes as application/json"},
      {"another method", "GET", kPath, {}, "", 405, "method-not-allowed", ""},
      {"an unknown parameter",
       "POST",
       kPath + "?wish=1",
       {{"Content-Type", kJson}},
       body_of(write("a-1")),
       400,
       "bad-request",
       "\\\"wish\\\" is unknown"},
  };
  for (const Row& row : rows) target.check(row);
}

}  // namespace
}  // namespace vouch::tests
