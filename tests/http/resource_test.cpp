// Single events, state and snapshots, stream names, transactions.
#include <catch2/catch.hpp>

#include "format/json_text.h"
#include "server_under_test.h"

namespace vouch::tests {
namespace {

const FieldList kJsonBody = {{"Content-Type", "application/json"}};

TEST_CASE("an event is found by its id, as JSON or as a CloudEvent") {
  const ServerUnderTest server;
  server.fill("a-1", 2);
  const std::string id = server.world.database.events().at(1).id.to_string();
  const Answer answer = server.ask("GET", "/v1/events/" + id);
  CHECK(answer.status == 200);
  CHECK(answer.has(R"({"id":")" + id + R"(","stream":"a-1","version":2,"type":"happened")"));
  const Answer cloud =
      server.ask("GET", "/v1/events/" + id, {{"Accept", "application/cloudevents+json"}});
  CHECK(cloud.has(R"("source":"/shop/a-1")"));
  check_problem(server.ask("GET", "/v1/events/0ujsszwN8NRY24YaXiTIE2VWDTS"), 404, "not-found");
  check_problem(server.ask("GET", "/v1/events/short"), 400, "bad-request");
}

TEST_CASE("state is the newest snapshot and every event after it") {
  const ServerUnderTest server;
  server.fill("a-1", 7);
  const std::string path = "/v1/streams/a-1/snapshot";
  const Answer bare = server.ask("GET", "/v1/streams/a-1/state");
  CHECK(bare.field("ETag") == "\"7\"");
  CHECK_FALSE(bare.has("snapshot"));
  CHECK(count_of(bare.body, "\"type\":") == 7);
  check_problem(server.ask("GET", path), 404, "not-found");

  const Answer saved = server.ask("PUT", path, kJsonBody, R"({"version":5,"data":{ "sum":15.0 }})");
  CHECK(saved.status == 202);
  server.saver->flush();
  const Answer state = server.ask("GET", "/v1/streams/a-1/state");
  CHECK(format::parse_json(state.body).ok());
  CHECK(state.has(R"({"stream":"a-1","version":7,"snapshot":{"version":5,)"));
  CHECK(state.has(R"("data":{ "sum":15.0 }},"events":[)"));
  CHECK(count_of(state.body, "\"type\":") == 2);
  const Answer got = server.ask("GET", path);
  CHECK(got.field("ETag") == "\"5\"");
  CHECK(got.has(R"("data":{ "sum":15.0 })"));

  CHECK(server.ask("PUT", path, kJsonBody, R"({"version":7,"data":1})").status == 202);
  server.saver->flush();
  CHECK(count_of(server.ask("GET", "/v1/streams/a-1/state").body, "\"type\":") == 0);
  CHECK(server.ask("DELETE", path).status == 204);
  CHECK(server.ask("GET", path).status == 404);
  CHECK(server.ask("DELETE", path).status == 204);
}

TEST_CASE("a snapshot that can't be is refused") {
  const ServerUnderTest server;
  server.fill("a-1", 3);
  const auto put = [&](const std::string& body, const std::string& stream = "a-1") {
    return server.ask("PUT", "/v1/streams/" + stream + "/snapshot", kJsonBody, body);
  };
  check_problem(put(R"({"version":4,"data":1})"), 422, "unprocessable");
  check_problem(put(R"({"version":1,"data":1})", "nobody"), 404, "not-found");
  for (const char* body : {"", "[]", "{}", R"({"version":1})", R"({"data":1})",
                           R"({"version":0,"data":1})", R"({"version":"1","data":1})",
                           R"({"version":1.5,"data":1})", R"({"version":1,"data":1,"more":2})"}) {
    INFO(body);
    check_problem(put(body), 400, "bad-request");
  }
  check_problem(server.ask("PUT", "/v1/streams/a-1/snapshot", {{"Content-Type", "text/plain"}},
                           R"({"version":1,"data":1})"),
                415, "unsupported-media-type");
}

TEST_CASE("without a snapshot store snapshots are not implemented, and state is all events") {
  const ServerUnderTest server({}, {}, false);
  server.fill("a-1", 3);
  const std::string path = "/v1/streams/a-1/snapshot";
  check_problem(server.ask("GET", path), 501, "not-implemented");
  check_problem(server.ask("DELETE", path), 501, "not-implemented");
  check_problem(server.ask("PUT", path, kJsonBody, R"({"version":1,"data":1})"), 501,
                "not-implemented");
  CHECK(count_of(server.ask("GET", "/v1/streams/a-1/state").body, "\"type\":") == 3);
  CHECK(server.ask("GET", "/v1/streams/nobody/state").status == 404);
}

TEST_CASE("streams are listed by category, in pages") {
  const ServerUnderTest server;
  for (const char* stream : {"cart-1", "order-1", "order-2", "order-3"}) server.fill(stream, 2);
  CHECK(server.ask("GET", "/v1/streams?category=cart").body ==
        R"({"streams":[{"stream":"cart-1","version":2}]})");
  const Answer page = server.ask("GET", "/v1/streams?category=order&limit=2");
  CHECK(page.text("next") == "order-2");
  CHECK(count_of(page.body, "\"version\"") == 2);
  const std::string link = page.field("Link");
  const Answer rest = server.ask("GET", link.substr(1, link.find('>') - 1));
  CHECK(rest.body == R"({"streams":[{"stream":"order-3","version":2}]})");
  CHECK(count_of(server.ask("GET", "/v1/streams").body, "\"version\"") == 4);
  check_problem(server.ask("GET", "/v1/streams?after=a%20b"), 400, "bad-request");
}

TEST_CASE("a transaction can be asked for by the token of its append, and by nothing else") {
  ServerUnderTest server;
  check_problem(server.ask("GET", "/v1/transactions/nonsense"), 400, "bad-request");
  const std::string first = server.append("a-1", R"({"type":"t","data":1})").text("tx");
  CHECK(server.ask("GET", "/v1/transactions/" + first).text("state") == "committed");
}

}  // namespace
}  // namespace vouch::tests
