// POST /v1/delivery:replay: what may be asked, and the lines that tell how far it has come.
#include <catch2/catch.hpp>

#include "format/json_text.h"
#include "server_under_test.h"

namespace vouch::tests {
namespace {

constexpr const char* kReplay = "/v1/delivery:replay";
/// One message in a second.
constexpr const char* kSlow = R"({"after":"start","rate":1})";

Answer replay(const ServerUnderTest& server, const std::string& body) {
  return server.ask("POST", kReplay, {{"Content-Type", "application/json"}}, body);
}

std::vector<std::string> lines_of(const Answer& answer) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < answer.body.size();) {
    const std::size_t end = answer.body.find('\n', at);
    REQUIRE(end != std::string::npos);
    lines.push_back(answer.body.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

/// A stream with four events that are delivered.
void fill(ServerUnderTest& server) {
  server.fill("account-1", 4);
  REQUIRE(server.world.exchange.wait_outbound(4));
  REQUIRE(eventually([&] { return server.world.database.undelivered().empty(); }));
}

TEST_CASE("a replay tells where it ends, how far it is, and what it did") {
  ServerUnderTest server;
  fill(server);
  const Answer answer = replay(server, R"({"after":"start"})");
  INFO(answer.body);
  CHECK(answer.status == 200);
  CHECK(answer.field("Content-Type") == "application/x-ndjson");
  CHECK(answer.complete);
  const auto lines = lines_of(answer);
  REQUIRE(lines.size() >= 2);
  for (const std::string& line : lines) CHECK(format::parse_json(line).ok());
  CHECK(lines.front().starts_with(R"({"kind":"begin","dry_run":false,"until":")"));
  CHECK(lines.front().ends_with(R"("rate":2000})"));
  CHECK(lines.back().starts_with(R"({"kind":"done","after":")"));
  CHECK(lines.back().find(R"("events":4,"published":4,"held_back":0,"refused":0,"reached":")") !=
        std::string::npos);
  CHECK(server.world.exchange.outbound().size() == 8);
  // Behind the end there is nothing.
  const std::string at = R"("after":")";
  const std::size_t begin = lines.back().find(at) + at.size();
  const std::string end = lines.back().substr(begin, lines.back().find('"', begin) - begin);
  CHECK(replay(server, R"({"after":")" + end + "\"}").has(R"("events":0)"));
}

TEST_CASE("a stream's replay goes by versions") {
  ServerUnderTest server;
  fill(server);
  const Answer answer = replay(server, R"({"stream":"account-1","from":3,"rate":0})");
  INFO(answer.body);
  CHECK(lines_of(answer).front() == R"({"kind":"begin","dry_run":false,"rate":0})");
  CHECK(
      lines_of(answer).back().starts_with(R"({"kind":"done","from":5,"events":2,"published":2,)"));
}

TEST_CASE("a dry run publishes nothing") {
  ServerUnderTest server;
  fill(server);
  const Answer answer = replay(server, R"({"after":"start","dry_run":true})");
  CHECK(answer.has(R"("published":4)"));
  CHECK(server.world.exchange.outbound().size() == 4);
}

TEST_CASE("what is asked of a replay in the wrong way is refused in words") {
  ServerUnderTest server;
  fill(server);
  struct Case {
    const char* body;
    int status;
    const char* detail;
  };
  const Case cases[] = {
      {"", 400, "the body is not JSON"},
      {"[]", 400, "the body must be an object"},
      {"{}", 400,
       "after or stream is missing: what to begin at (\\\"after\\\":\\\"start\\\" is the first "
       "event ever)"},
      {R"({"category":"account"})", 400, "after or stream is missing"},
      {R"({"after":"!"})", 400, "after must be a cursor that this API gave out, or \\\"start\\\""},
      {R"({"after":7})", 400, "after must be a string"},
      {R"({"after":"start","until":"!"})", 400, "until must be a cursor that this API gave out"},
      {R"({"after":"start","stream":"account-1"})", 400,
       "after does not go with stream, which is read from a version on (from)"},
      {R"({"stream":"account-1","category":"account"})", 400, "category does not go with stream"},
      {R"({"after":"start","from":1})", 400, "from is a version of a stream, and needs stream"},
      {R"({"stream":"account-1","from":0})", 400, "from must be a whole number from 1 to"},
      {R"({"stream":"a/b"})", 400, "stream: a stream name is"},
      {R"({"after":"start","category":"a-b"})", 400, "category must be the part of a stream name"},
      {R"({"after":"start","type":""})", 400, "type must not be empty"},
      {R"({"after":"start","since":"yesterday"})", 400,
       "since must be a time such as 2026-11-23T16:06:11Z (RFC 3339)"},
      {R"({"after":"start","rate":-1})", 400, "rate must be a whole number from 0 to 1000000000"},
      {R"({"after":"start","dry_run":"yes"})", 400, "dry_run must be true or false"},
      {R"({"after":"start","topic":"x"})", 400,
       "topic is unknown; known here: after until stream from category type since before route "
       "rate dry_run"},
      {R"({"after":"start","route":"nowhere"})", 422,
       "there is no route \\\"nowhere\\\"; there are: main"},
  };
  for (const Case& wrong : cases) {
    const Answer answer = replay(server, wrong.body);
    INFO(wrong.body << " -> " << answer.body);
    CHECK(answer.status == wrong.status);
    CHECK(answer.has(wrong.detail));
  }
  CHECK(server.ask("POST", kReplay, {{"Content-Type", "text/plain"}}, R"({"after":"start"})")
            .status == 415);
  CHECK(server.ask("GET", kReplay).status == 405);
  CHECK(server
            .ask("POST", kReplay, {{"Content-Type", "application/json"}, {"Accept", "text/html"}},
                 R"({"after":"start"})")
            .status == 406);
  CHECK(server.world.exchange.outbound().size() == 4);
}

TEST_CASE("a second replay is told that there is one, and the host's stop ends the first") {
  ServerUnderTest server;
  fill(server);
  Client client(server.server->port());
  client.send("POST", kReplay, {{"Content-Type", "application/json"}}, kSlow);
  REQUIRE(eventually([&] { return server.world.exchange.outbound().size() == 5; }));
  const Answer second = replay(server, R"({"after":"start"})");
  CHECK(second.status == 409);
  CHECK(second.text("type") == "urn:vouch:problem:conflict");
  CHECK(second.has("another replay is under way on this host"));
  server.server->stop(std::chrono::steady_clock::now() + std::chrono::seconds(5));
  const Answer ended = client.read_answer();
  INFO(ended.body);
  CHECK(ended.complete);
  CHECK(lines_of(ended).back().starts_with(R"({"kind":"stopped","after":")"));
}

TEST_CASE("a client that goes away ends its replay") {
  ServerUnderTest server;
  fill(server);
  {
    Client client(server.server->port());
    client.send("POST", kReplay, {{"Content-Type", "application/json"}}, kSlow);
    REQUIRE(eventually([&] { return server.world.exchange.outbound().size() == 5; }));
  }
  CHECK(eventually(
      [&] { return replay(server, R"({"after":"start","dry_run":true})").status == 200; }));
}

}  // namespace
}  // namespace vouch::tests
