// Reading over HTTP: streams both ways, pages, formats, conditions, the feed.
#include <algorithm>
#include <catch2/catch.hpp>

#include "format/json_text.h"
#include "server_under_test.h"

namespace vouch::tests {
namespace {

using testkit::Fault;
using testkit::Step;

/// The numbers behind every "name": in a text, in order.
std::vector<int> numbers(const std::string& text, const std::string& name) {
  std::vector<int> found;
  const std::string mark = '"' + name + "\":";
  for (std::size_t at = text.find(mark); at != std::string::npos; at = text.find(mark, at + 1)) {
    found.push_back(std::stoi(text.substr(at + mark.size(), 12)));
  }
  return found;
}

std::string next_of(const Answer& answer) {
  const std::string link = answer.field("Link");
  return link == "(none)" ? "" : link.substr(1, link.find('>') - 1);
}

TEST_CASE("a stream is read forward and backward, from any version, with the version as ETag") {
  const ServerUnderTest server;
  server.fill("log-1", 7);
  const auto read = [&](const std::string& query) {
    const Answer answer = server.ask("GET", "/v1/streams/log-1/events" + query);
    INFO(answer.body);
    CHECK(answer.status == 200);
    CHECK(answer.field("ETag") == "\"7\"");
    CHECK(answer.has(R"({"stream":"log-1","version":7,"events":[)"));
    return numbers(answer.body, "data");
  };
  using List = std::vector<int>;
  CHECK(read("") == List{1, 2, 3, 4, 5, 6, 7});
  CHECK(read("?from=3&limit=2") == List{3, 4});
  CHECK(read("?from=8") == List{});
  CHECK(read("?direction=forward&from=7") == List{7});
  CHECK(read("?direction=backward") == List{7, 6, 5, 4, 3, 2, 1});
  CHECK(read("?direction=backward&limit=3") == List{7, 6, 5});
  CHECK(read("?direction=backward&from=2") == List{2, 1});
  CHECK(read("?direction=backward&from=99&limit=1") == List{7});
}

TEST_CASE("the next link leads through a whole stream in every format and direction") {
  const ServerUnderTest server;
  server.fill("log-1", 10);
  for (const char* accept :
       {"application/json", "application/x-ndjson", "application/cloudevents-batch+json"}) {
    for (const char* direction : {"forward", "backward"}) {
      INFO(accept << ' ' << direction);
      std::vector<int> seen;
      std::string path = std::string("/v1/streams/log-1/events?limit=4&direction=") + direction;
      int pages = 0;
      while (!path.empty()) {
        REQUIRE(++pages <= 3);
        const Answer answer = server.ask("GET", path, {{"Accept", accept}});
        REQUIRE(answer.status == 200);
        CHECK(answer.field("Content-Type") == accept);
        for (const int n : numbers(answer.body, "data")) seen.push_back(n);
        path = next_of(answer);
      }
      if (direction[0] == 'b') std::reverse(seen.begin(), seen.end());
      CHECK(seen == std::vector<int>{1, 2, 3, 4, 5, 6, 7, 8, 9, 10});
    }
  }
}

TEST_CASE("a long stream comes whole in lines and as a batch") {
  const ServerUnderTest server;
  server.fill("long-1", 3'500);
  const Answer lines =
      server.ask("GET", "/v1/streams/long-1/events", {{"Accept", "application/x-ndjson"}});
  CHECK(lines.status == 200);
  CHECK(lines.complete);
  CHECK(count_of(lines.body, "\n") == 3'500);
  const std::vector<int> data = numbers(lines.body, "data");
  REQUIRE(data.size() == 3'500);
  CHECK(std::is_sorted(data.begin(), data.end()));
  const Answer batch = server.ask("GET", "/v1/streams/long-1/events",
                                  {{"Accept", "application/cloudevents-batch+json"}});
  CHECK(batch.complete);
  CHECK(format::parse_json(batch.body).ok());
  CHECK(count_of(batch.body, "\"specversion\"") == 3'500);
}

TEST_CASE("an answer that breaks in the middle does not look whole") {
  ServerUnderTest server;
  // Much more than the buffers of the sockets hold, so that the server is in the middle of it when
  // the client has read no more than the head.
  const std::string big(900'000, 'x');
  for (int i = 0; i < 40; ++i) {
    REQUIRE(server.append("big-1", R"({"type":"t","data":")" + big + R"("})").status == 201);
  }
  Client client(server.server->port());
  client.send("GET", "/v1/streams/big-1/events", {{"Accept", "application/x-ndjson"}});
  const Answer head = client.read_head();
  CHECK(head.status == 200);
  server.world.faults.arm(Step::read, Fault::fail, 1'000'000);
  const Answer answer = client.read_body(head);
  CHECK_FALSE(answer.complete);
  CHECK(answer.body.size() < 40 * big.size());
}

TEST_CASE("HEAD and conditional reads know the version without the events") {
  const ServerUnderTest server;
  server.fill("log-1", 7);
  const Answer head = server.ask("HEAD", "/v1/streams/log-1/events");
  CHECK(head.status == 200);
  CHECK(head.field("ETag") == "\"7\"");
  for (const char* method : {"HEAD", "GET"}) {
    CHECK(server.ask(method, "/v1/streams/log-1/events", {{"If-None-Match", "\"7\""}}).status ==
          304);
    CHECK(server.ask(method, "/v1/streams/log-1/events", {{"If-None-Match", "\"6\""}}).status ==
          200);
    CHECK(server.ask(method, "/v1/streams/nobody/events").status == 404);
  }
  check_problem(server.ask("GET", "/v1/streams/nobody/events"), 404, "not-found");
}

TEST_CASE("pages of the feed give every event once, with cursors and an end") {
  const ServerUnderTest server;
  for (int i = 0; i < 4; ++i) server.fill("s-" + std::to_string(i), 10);
  std::string after = "start";
  std::size_t events = 0;
  for (int page = 0;; ++page) {
    REQUIRE(page < 20);
    const Answer answer = server.ask("GET", "/v1/events?limit=7&after=" + after);
    REQUIRE(answer.status == 200);
    events += count_of(answer.body, "\"version\":");
    CHECK(count_of(answer.body, "\"cursor\":") == count_of(answer.body, "\"version\":"));
    after = answer.text("next");
    REQUIRE_FALSE(after.empty());
    if (answer.has("\"at_end\":true")) break;
    CHECK(answer.field("Link") == "</v1/events?after=" + after + "&limit=7>; rel=\"next\"");
  }
  CHECK(events == 40);
  server.fill("late-1", 1);
  const Answer late = server.ask("GET", "/v1/events?after=" + after);
  CHECK(late.has("\"stream\":\"late-1\""));
  CHECK(count_of(late.body, "\"version\":") == 1);
  CHECK(late.field("Link") == "(none)");
}

TEST_CASE("the feed is filtered by category, type and stream, and comes whole in lines") {
  const ServerUnderTest server;
  server.fill("order-1", 3);
  server.fill("order-2", 2);
  server.fill("cart-1", 4);
  server.append("cart-1", R"({"type":"a+b","data":0})");
  const auto count = [&](const std::string& query) {
    return count_of(server.ask("GET", "/v1/events?" + query).body, "\"version\":");
  };
  CHECK(count("category=order") == 5);
  CHECK(count("stream=order-2") == 2);
  CHECK(count("type=a%2Bb") == 1);
  CHECK(count("category=cart&type=happened") == 4);
  CHECK(count("category=nobody") == 0);
  const Answer lines = server.ask("GET", "/v1/events", {{"Accept", "application/x-ndjson"}});
  CHECK(count_of(lines.body, "\n") == 10);
  const Answer batch = server.ask("GET", "/v1/events?category=order",
                                  {{"Accept", "application/cloudevents-batch+json"}});
  CHECK(format::parse_json(batch.body).ok());
  CHECK(count_of(batch.body, "\"specversion\"") == 5);
}

TEST_CASE("reads say when the database can't be read") {
  ServerUnderTest server;
  server.fill("log-1", 1);
  server.world.faults.arm(Step::read, Fault::fail, 1'000'000);
  for (const char* path : {"/v1/streams/log-1/events", "/v1/streams/log-1/state", "/v1/events",
                           "/v1/streams", "/v1/events/0ujsszwN8NRY24YaXiTIE2VWDTS"}) {
    INFO(path);
    const Answer answer = server.ask("GET", path);
    check_problem(answer, 503, "storage-unavailable");
    CHECK(answer.field("Retry-After") == "1");
  }
  const Answer lines = server.ask("GET", "/v1/events", {{"Accept", "application/x-ndjson"}});
  check_problem(lines, 503, "storage-unavailable");
}

}  // namespace
}  // namespace vouch::tests
