// Dead letters over HTTP: listed, retried, discarded; and warnings of readiness.
#include <catch2/catch.hpp>

#include "format/json_text.h"
#include "server_under_test.h"

namespace vouch::tests {
namespace {

using testkit::Fault;
using testkit::Step;

std::string id_in(const Answer& answer) {
  static constexpr std::string_view kBefore = R"("id":")";
  const std::size_t at = answer.body.find(kBefore);
  if (at == std::string::npos) return "none";
  const std::size_t begin = at + kBefore.size();
  return answer.body.substr(begin, answer.body.find('"', begin) - begin);
}

Answer letters(const ServerUnderTest& server, const std::string& query = {}) {
  return server.ask("GET", "/v1/delivery/dead-letters" + query);
}

/// A stream whose first event is refused, and two more.
void refuse(ServerUnderTest& server, const std::string& stream) {
  server.world.faults.arm(Step::publish_outbound, Fault::reject);
  server.fill(stream, 3);
  REQUIRE(eventually([&] { return letters(server).has("\"" + stream + "\""); }));
  REQUIRE(eventually([&] { return server.world.database.undelivered().empty(); }));
}

TEST_CASE("a dead letter is listed with all that there is to know, and released once") {
  ServerUnderTest server;
  CHECK(letters(server).body == R"({"dead_letters":[]})");
  refuse(server, "account-1");
  const Answer listed = letters(server);
  INFO(listed.body);
  CHECK(format::parse_json(listed.body).ok());
  CHECK(listed.status == 200);
  CHECK(listed.has(R"("route":"main","stream":"account-1","version":1,)"));
  CHECK(listed.has(R"("topic":"events.account")"));
  CHECK(listed.has(R"("attempts":1)"));
  CHECK(listed.has(R"("last_waiting":3,"state":"refused")"));
  const Answer report = server.ask("GET", "/v1/delivery");
  CHECK(report.has(R"("routes":[{"route":"main","broker":"main","topic":"events.{category}")"));

  const std::string path = "/v1/delivery/dead-letters/" + id_in(listed);
  SECTION("retry") {
    const Answer answer = server.ask("POST", path + ":retry");
    CHECK(answer.status == 202);
    CHECK(answer.body == R"({"state":"released"})");
  }
  SECTION("discard") {
    CHECK(server.ask("POST", path + ":discard").status == 202);
  }
  CHECK(eventually([&] { return letters(server).body == R"({"dead_letters":[]})"; }));
  const Answer again = server.ask("POST", path + ":discard");
  CHECK(again.status == 404);
  CHECK(again.text("type") == "urn:vouch:problem:not-found");
}

TEST_CASE("dead letters are listed page by page") {
  ServerUnderTest server;
  for (const char* stream : {"account-1", "account-2", "account-3"}) refuse(server, stream);
  const Answer first = letters(server, "?limit=2");
  INFO(first.body);
  CHECK(count_of(first.body, "\"stream\"") == 2);
  const std::string next = first.text("next");
  CHECK(first.field("Link") ==
        "</v1/delivery/dead-letters?after=" + next + "&limit=2>; rel=\"next\"");
  const Answer second = letters(server, "?limit=2&after=" + next);
  CHECK(count_of(second.body, "\"stream\"") == 1);
  CHECK(second.has("account-3"));
  CHECK_FALSE(second.has("\"next\""));
}

TEST_CASE("what is asked of dead letters in the wrong way is refused") {
  ServerUnderTest server;
  refuse(server, "account-1");
  CHECK(server.ask("POST", "/v1/delivery/dead-letters/bm90aGluZw:retry").status == 404);
  CHECK(server.ask("POST", "/v1/delivery/dead-letters/!!:discard").status == 404);
  CHECK(letters(server, "?after=x").status == 404);
  CHECK(letters(server, "?limit=0").status == 400);
  CHECK(letters(server, "?route=main").status == 400);
  CHECK(server.ask("GET", "/v1/delivery/dead-letters/x:retry").status == 405);
  const std::string path = "/v1/delivery/dead-letters/" + id_in(letters(server));
  CHECK(server.ask("POST", path + ":retry", {{"Content-Type", "text/plain"}}, "now").status == 400);
  CHECK(letters(server).has("refused"));
}

TEST_CASE("readiness shows warnings without being asked for them, and is ready") {
  ServerUnderTest server;
  server.checks.push_back({"dead letters of route main", true, "3 streams wait", true});
  const Answer answer = server.ask("GET", "/readyz");
  CHECK(answer.status == 200);
  CHECK(answer.body == "[!]dead letters of route main: 3 streams wait\nready\n");
}

}  // namespace
}  // namespace vouch::tests
