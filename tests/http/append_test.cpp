// Appending over HTTP: versions, conditions, retries, acknowledgements, and every failure below.
#include <catch2/catch.hpp>
#include <future>

#include "format/text_codec.h"
#include "server_under_test.h"

namespace vouch::tests {
namespace {

using testkit::Fault;
using testkit::Step;

const std::string kEvent = R"({"type":"opened","data":{"owner":"Ada"}})";

TEST_CASE("an append answers with versions, ids, transaction, ETag and Location") {
  const ServerUnderTest server;
  CHECK(server.append("account-42", kEvent).status == 201);
  const Answer answer = server.append("account-42", "[" + kEvent + "," + kEvent + "]");
  REQUIRE(answer.status == 201);
  CHECK(answer.field("ETag") == "\"3\"");
  CHECK(answer.field("Location") == "/v1/streams/account-42/events?from=2");
  CHECK(answer.field("Content-Type") == "application/json");
  CHECK(answer.field("Server") == "vouch");
  const std::vector<Event> events = server.world.database.events();
  REQUIRE(events.size() == 3);
  CHECK(answer.body == R"({"stream":"account-42","first_version":2,"last_version":3,"ids":[")" +
                           events[1].id.to_string() + R"(",")" + events[2].id.to_string() +
                           R"("],"tx":")" + answer.text("tx") + R"(","state":"committed"})");
  CHECK(server.ask("GET", "/v1/transactions/" + answer.text("tx")).body ==
        R"({"tx":")" + answer.text("tx") + R"(","state":"committed"})");
}

TEST_CASE("conditions on the version hold, and a failed one tells both versions") {
  const ServerUnderTest server;
  CHECK(server.append("a-1", kEvent, {{"If-Match", "*"}}).status == 412);
  CHECK(server.append("a-1", kEvent, {{"If-Match", "\"0\""}}).status == 201);
  CHECK(server.append("a-1", kEvent, {{"If-Match", "\"1\""}}).status == 201);
  CHECK(server.append("a-1", kEvent, {{"If-Match", "*"}}).status == 201);
  const Answer wrong = server.append("a-1", kEvent, {{"If-Match", "\"7\""}});
  check_problem(wrong, 412, "wrong-expected-version");
  CHECK(wrong.has(R"("stream":"a-1","expected":7,"actual":3)"));
  const Answer exists = server.append("a-1", kEvent, {{"If-None-Match", "*"}});
  check_problem(exists, 412, "wrong-expected-version");
  CHECK(exists.has(R"("expected":"none","actual":3)"));
  const Answer zero = server.append("a-1", kEvent, {{"If-Match", "\"0\""}});
  CHECK(zero.has(R"("expected":0,"actual":3)"));
  CHECK(server.append("a-2", kEvent, {{"If-None-Match", "*"}}).status == 201);
  CHECK(server.world.database.events().size() == 4);
}

TEST_CASE("a retry with its idempotency key gets the first answer, another request is refused") {
  const ServerUnderTest server;
  const FieldList key = {{"Idempotency-Key", "k-1"}};
  const Answer first = server.append("a-1", kEvent, key);
  const Answer again = server.append("a-1", kEvent, key);
  CHECK(first.status == 201);
  CHECK(first.field("Idempotent-Replayed") == "(none)");
  CHECK(again.status == 201);
  CHECK(again.field("Idempotent-Replayed") == "true");
  CHECK(again.body == first.body);
  CHECK(again.field("ETag") == first.field("ETag"));
  check_problem(server.append("a-1", R"({"type":"other","data":1})", key), 422, "unprocessable");
  check_problem(server.append("a-1", kEvent, {{"Idempotency-Key", "k-1"}, {"If-Match", "\"1\""}}),
                422, "unprocessable");
  CHECK(server.append("a-2", kEvent, key).status == 201);
  CHECK(server.world.database.events().size() == 2);
}

TEST_CASE("events that bring their ids are stored once, and an id is not given to another event") {
  const ServerUnderTest server;
  const std::string body = R"({"type":"t","data":1,"id":"0ujsszwN8NRY24YaXiTIE2VWDTS"})";
  const Answer first = server.append("a-1", body);
  CHECK(first.status == 201);
  CHECK(first.has("0ujsszwN8NRY24YaXiTIE2VWDTS"));
  const Answer again = server.append("a-1", body);
  CHECK(again.status == 201);
  CHECK(again.field("Idempotent-Replayed") == "true");
  check_problem(server.append("a-2", body), 422, "unprocessable");
}

TEST_CASE("with ack=delivered the events are on the outbound topic") {
  const ServerUnderTest server;
  const Answer answer = server.append("a-1", kEvent, {}, "?ack=delivered&wait=10s");
  CHECK(answer.status == 201);
  CHECK(answer.text("state") == "delivered");
  CHECK(server.world.exchange.outbound().size() == 1);
}

TEST_CASE(
    "with ack=delivered and an outbound broker that hangs the answer is 202 when time is up") {
  ServerUnderTest server;
  server.world.faults.decide(
      [](Step step) { return step == Step::publish_outbound ? Fault::fail : Fault::none; });
  const Answer answer = server.append("a-1", kEvent, {}, "?ack=delivered&wait=300ms");
  CHECK(answer.status == 202);
  CHECK(answer.text("state") == "committed");
  CHECK(answer.field("ETag") == "\"1\"");
}

TEST_CASE("the request's trace goes into events that bring none of their own") {
  const ServerUnderTest server;
  server.append("a-1",
                R"([{"type":"t","data":1},{"type":"t","data":2,"metadata":{"traceparent":"own"}}])",
                {{"traceparent", "00-abc-def-01"}, {"tracestate", "v=1"}});
  const std::vector<Event> events = server.world.database.events();
  REQUIRE(events.size() == 2);
  CHECK(events[0].metadata.find(R"("traceparent":"00-abc-def-01")") != std::string::npos);
  CHECK(events[0].metadata.find(R"("tracestate":"v=1")") != std::string::npos);
  CHECK(events[1].metadata == R"({"traceparent":"own"})");
}

TEST_CASE("when the validation publish fails nothing is stored") {
  ServerUnderTest server;
  server.world.faults.arm(Step::publish_validation, Fault::fail);
  const Answer answer = server.append("a-1", kEvent);
  check_problem(answer, 503, "broker-unavailable");
  CHECK(answer.field("Retry-After") == "1");
  CHECK(server.world.database.events().empty());
  CHECK(server.append("a-1", kEvent).status == 201);
}

TEST_CASE("a defect is answered as such, and the next request is served") {
  ServerUnderTest server;
  server.fill("a-1", 1);
  server.world.faults.arm(Step::read, Fault::throw_exception);
  check_problem(server.ask("GET", "/v1/streams/a-1/events"), 500, "internal");
  CHECK(server.ask("GET", "/v1/streams/a-1/events").status == 200);
}

TEST_CASE("when the database fails nothing is stored") {
  ServerUnderTest server;
  server.world.faults.arm(Step::stage, Fault::fail, 1'000);
  const Answer answer = server.append("a-1", kEvent);
  check_problem(answer, 503, "storage-unavailable");
  CHECK(answer.field("Retry-After") == "1");
  CHECK(server.world.database.events().empty());
}

TEST_CASE("a commit whose answer is lost is asked for, and the client hears that it happened") {
  ServerUnderTest server;
  server.world.faults.arm(Step::commit, Fault::lose);
  const Answer answer = server.append("a-1", kEvent);
  CHECK(answer.status == 201);
  CHECK(server.world.database.events().size() == 1);
}

TEST_CASE("a commit that can't be asked for is unknown, and its transaction is definite later") {
  HostSettings settings;
  settings.resolve_timeout = std::chrono::milliseconds(200);
  ServerUnderTest server({}, settings);
  server.world.faults.arm(Step::commit, Fault::lose);
  server.world.faults.decide(
      [](Step step) { return step == Step::resolve ? Fault::fail : Fault::none; });
  const Answer answer = server.append("a-1", kEvent);
  check_problem(answer, 503, "commit-unknown");
  REQUIRE_FALSE(answer.text("tx").empty());
  const std::string location = "/v1/transactions/" + answer.text("tx");
  CHECK(answer.field("Location") == location);
  CHECK(answer.has(R"("ids":[")"));
  check_problem(server.ask("GET", location), 503, "storage-unavailable");
  server.world.faults.decide({});
  CHECK(server.ask("GET", location).text("state") == "committed");
}

TEST_CASE("a full queue is told at once") {
  HostSettings settings;
  settings.lanes = 1;
  settings.queue_events = 2;
  ServerUnderTest server({}, settings);
  server.world.faults.arm(Step::commit, Fault::stall);
  std::vector<std::future<int>> waiting;
  const auto append = [&](int i) {
    waiting.push_back(std::async(std::launch::async, [&server, i] {
      return server.append("a-" + std::to_string(i), kEvent).status;
    }));
  };
  append(0);
  REQUIRE(server.world.faults.wait_stalled(Step::commit));
  Answer refused;
  const bool full = eventually([&] {
    append(static_cast<int>(waiting.size()));
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    return waiting.back().wait_for(std::chrono::seconds(0)) == std::future_status::ready;
  });
  REQUIRE(full);
  refused = server.append("a-x", kEvent);
  check_problem(refused, 429, "overloaded");
  CHECK(refused.field("Retry-After") == "1");
  server.world.faults.clear();
  for (auto& answer : waiting) {
    const int status = answer.get();
    CHECK((status == 201 || status == 429));
  }
}

TEST_CASE("a key that is being written right now is a conflict for the second request") {
  HostSettings settings;
  settings.idempotency_wait = std::chrono::milliseconds(100);
  ServerUnderTest server({}, settings);
  const FieldList key = {{"Idempotency-Key", "k"}};
  server.world.faults.arm(Step::commit, Fault::stall);
  auto first = std::async(std::launch::async, [&] { return server.append("a-1", kEvent, key); });
  REQUIRE(server.world.faults.wait_stalled(Step::commit));
  check_problem(server.append("a-1", kEvent, key), 409, "idempotency-in-flight");
  server.world.faults.release();
  CHECK(first.get().status == 201);
  CHECK(server.world.database.events().size() == 1);
}

}  // namespace
}  // namespace vouch::tests
