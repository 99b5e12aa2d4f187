// Following the feed: catch-up, live, resuming, filters, slow readers, many readers, faults.
#include <catch2/catch.hpp>
#include <map>
#include <memory>

#include "follow_format.h"
#include "format/json_text.h"
#include "server_under_test.h"

namespace vouch::tests {
namespace {

using testkit::Fault;
using testkit::Step;

/// One follower and what it reads.
class FollowerClient {
 public:
  FollowerClient(const ServerUnderTest& server, const std::string& query, const std::string& accept,
                 FieldList fields = {})
      : client_(server.server->port()) {
    fields.emplace_back("Accept", accept);
    client_.send("GET", "/v1/feed" + query, fields);
    head_ = client_.read_head();
  }

  /// The next server-sent event as its fields; comments are left out.
  std::map<std::string, std::string> sse() {
    std::map<std::string, std::string> fields;
    while (const auto line = client_.read_text_line()) {
      if (line->empty() && !fields.empty()) return fields;
      if (line->empty() || (*line)[0] == ':') continue;
      const std::size_t colon = line->find(": ");
      fields[line->substr(0, colon)] = line->substr(colon + 2);
    }
    return fields;
  }

  /// The next line that is no heartbeat; empty at the end of the feed.
  std::string line() {
    while (auto line = client_.read_text_line()) {
      if (line->find("{\"kind\":\"heartbeat\"") != 0) return *std::move(line);
    }
    return {};
  }

  /// Numbers of `count` events of `fill`, in order.
  std::vector<int> data(int count) {
    std::vector<int> numbers;
    while (static_cast<int>(numbers.size()) < count) {
      const std::string next = line();
      if (next.empty()) break;
      if (next.find("{\"kind\":\"event\"") != 0) continue;
      numbers.push_back(std::stoi(next.substr(next.find("\"data\":") + 7)));
    }
    return numbers;
  }

  const Answer& head() { return head_; }
  Client& client() { return client_; }

 private:
  Client client_;
  Answer head_;
};

constexpr const char* kSse = "text/event-stream";
constexpr const char* kLines = "application/x-ndjson";

std::vector<int> from_to(int first, int last) {
  std::vector<int> numbers;
  for (int n = first; n <= last; ++n) numbers.push_back(n);
  return numbers;
}

TEST_CASE("server-sent events catch up, say so once, go live, and resume by Last-Event-ID") {
  const ServerUnderTest server;
  server.fill("s-1", 3);
  FollowerClient follower(server, "?after=start", kSse);
  CHECK(follower.head().status == 200);
  CHECK(follower.head().field("Content-Type") == "text/event-stream");
  std::vector<std::string> ids;
  for (int n = 1; n <= 3; ++n) {
    auto event = follower.sse();
    CHECK(event["event"] == "happened");
    CHECK(event["data"].find("\"data\":" + std::to_string(n)) != std::string::npos);
    CHECK(format::parse_json(event["data"]).ok());
    ids.push_back(event["id"]);
  }
  auto mark = follower.sse();
  CHECK(mark["event"] == "caught-up");
  CHECK_FALSE(mark["id"].empty());
  REQUIRE(server.append("s-1", R"({"type":"live","data":4})").status == 201);
  auto live = follower.sse();
  CHECK(live["event"] == "live");
  CHECK(live["data"].find("\"version\":4") != std::string::npos);

  FollowerClient again(server, "?after=start", kSse, {{"Last-Event-ID", ids[1]}});
  CHECK(again.sse()["data"].find("\"version\":3") != std::string::npos);
  CHECK(again.sse()["data"].find("\"version\":4") != std::string::npos);
  CHECK(again.sse()["event"] == "caught-up");
  check_problem(server.ask("GET", "/v1/feed", {{"Last-Event-ID", "nonsense"}}), 400, "bad-request");
}

TEST_CASE("a cursor behind the end of the feed is refused, since following it would skip events") {
  const ServerUnderTest other;
  other.fill("s-1", 20);
  FollowerClient there(other, "?after=start", kSse);
  std::string beyond;
  for (int i = 0; i < 20; ++i) beyond = there.sse()["id"];
  const ServerUnderTest server;
  server.fill("s-1", 3);
  check_problem(server.ask("GET", "/v1/feed?after=" + beyond), 400, "bad-request");
  check_problem(server.ask("GET", "/v1/feed", {{"Last-Event-ID", beyond}}), 400, "bad-request");
}

TEST_CASE("without a place to begin a follower sees what comes from now on") {
  const ServerUnderTest server;
  server.fill("s-1", 5);
  FollowerClient follower(server, "", kLines);
  CHECK(follower.head().field("Content-Type") == kLines);
  // Appended before live began, and after the follower was there.
  server.append("s-1", R"({"type":"t","data":6})");
  CHECK(follower.data(1) == std::vector<int>{6});
}

TEST_CASE("lines of a follower are JSON with a kind and a cursor each") {
  const ServerUnderTest server;
  server.append("s-1", "{\"type\":\"t\",\"data\":{\n\"a\":1}}");
  FollowerClient follower(server, "?after=start", kLines);
  const std::string event = follower.line();
  CHECK(format::parse_json(event).ok());
  CHECK(event.find(R"({"kind":"event","cursor":"c)") == 0);
  CHECK(event.find(R"("event":{"id":)") != std::string::npos);
  const std::string mark = follower.line();
  CHECK(mark.find(R"({"kind":"caught-up","cursor":")") == 0);
}

TEST_CASE("filters hold while catching up and live") {
  const ServerUnderTest server;
  const auto round = [&] {
    for (const char* stream : {"order-1", "cart-1", "order-2"}) {
      server.append(stream, R"([{"type":"placed","data":1},{"type":"paid","data":2}])");
    }
  };
  round();
  FollowerClient category(server, "?after=start&category=order&type=placed", kLines);
  FollowerClient stream(server, "?after=start&stream=order-2", kLines);
  std::vector<std::string> lines;
  for (int i = 0; i < 3; ++i) lines.push_back(category.line());
  CHECK(lines[2].find("caught-up") != std::string::npos);
  round();
  for (int i = 0; i < 2; ++i) lines.push_back(category.line());
  for (const int i : {0, 1, 3, 4}) {
    INFO(lines[static_cast<std::size_t>(i)]);
    CHECK(lines[static_cast<std::size_t>(i)].find("\"type\":\"placed\"") != std::string::npos);
    CHECK(lines[static_cast<std::size_t>(i)].find("\"stream\":\"order-") != std::string::npos);
  }
  CHECK(stream.data(4) == std::vector<int>{1, 2, 1, 2});
}

TEST_CASE("a follower joins the live feed without a gap or a double while events are appended") {
  const ServerUnderTest server;
  server.fill("s-1", 2'000);
  std::thread writer([&] {
    for (int n = 2'001; n <= 2'300; ++n) {
      server.append("s-1", R"({"type":"happened","data":)" + std::to_string(n) + '}');
    }
  });
  std::vector<std::unique_ptr<FollowerClient>> followers;
  for (int i = 0; i < 5; ++i) {
    followers.push_back(std::make_unique<FollowerClient>(server, "?after=start", kLines));
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  for (auto& follower : followers) CHECK(follower->data(2'300) == from_to(1, 2'300));
  writer.join();
}

TEST_CASE("a slow follower costs bounded memory, skips nothing, and slows nobody") {
  const ServerUnderTest server;
  // Much more than the live feed's ring and the buffers of sockets hold.
  constexpr int kEvents = 500;
  const std::string pad(100'000, 'x');
  FollowerClient slow(server, "?after=start", kLines);
  FollowerClient quick(server, "?after=start", kLines);
  std::vector<int> seen;
  std::thread reader([&] { seen = quick.data(kEvents); });
  for (int n = 1; n <= kEvents; ++n) {
    const Answer answer = server.append("s-1", R"({"type":"happened","data":)" + std::to_string(n) +
                                                   R"(,"metadata":{"pad":")" + pad + R"("}})");
    REQUIRE(answer.status == 201);
  }
  reader.join();
  CHECK(seen == from_to(1, kEvents));
  CHECK(slow.data(kEvents) == from_to(1, kEvents));
}

TEST_CASE("two hundred followers all see every event") {
  ServerUnderTest server;
  std::vector<std::unique_ptr<FollowerClient>> followers;
  for (int i = 0; i < 200; ++i) {
    followers.push_back(std::make_unique<FollowerClient>(server, "", i % 2 == 0 ? kLines : kSse));
  }
  testkit::TestServices& services = server.host.services();
  CHECK(eventually([&] { return services.metric("vouch_followers") == 200; }));
  server.fill("s-1", 50);
  for (std::size_t i = 0; i < followers.size(); ++i) {
    if (i % 2 == 0) {
      CHECK(followers[i]->data(50) == from_to(1, 50));
    } else {
      std::size_t events = 0;
      while (events < 50) {
        auto event = followers[i]->sse();
        REQUIRE_FALSE(event.empty());
        if (event["event"] == "happened") ++events;
      }
    }
  }
  followers.clear();
  CHECK(eventually([&] { return services.metric("vouch_followers") == 0; }));
}

TEST_CASE("followers beyond the limit are refused, and a place that is left is given again") {
  http::HttpOptions options;
  options.max_followers = 2;
  const ServerUnderTest server(options);
  FollowerClient first(server, "", kSse);
  auto second = std::make_unique<FollowerClient>(server, "", kSse);
  const Answer refused = server.ask("GET", "/v1/feed");
  check_problem(refused, 429, "overloaded");
  CHECK(refused.field("Retry-After") == "1");
  second.reset();
  CHECK(eventually([&] {
    Client client(server.server->port());
    client.send("GET", "/v1/feed");
    return client.read_head().status == 200;
  }));
}

TEST_CASE("heartbeats come while nothing happens, with the cursor in lines") {
  http::HttpOptions options;
  options.heartbeat = std::chrono::milliseconds(50);
  const ServerUnderTest server(options);
  server.fill("s-1", 1);
  Client lines(server.server->port());
  lines.send("GET", "/v1/feed?after=start", {{"Accept", kLines}});
  lines.read_head();
  std::optional<std::string> line = lines.read_text_line();
  std::string event = *line;
  while (line && line->find("heartbeat") == std::string::npos) line = lines.read_text_line();
  REQUIRE(line.has_value());
  const std::string cursor = event.substr(event.find("\"cursor\":\"c"), 20);
  CHECK(line->find(R"({"kind":"heartbeat","cursor":"c)") == 0);
  CHECK(line->find(cursor.substr(0, 12)) != std::string::npos);
  Client events(server.server->port());
  events.send("GET", "/v1/feed", {{"Accept", kSse}});
  events.read_head();
  line = events.read_text_line();
  while (line && *line != ": heartbeat") line = events.read_text_line();
  CHECK(line.has_value());
}

TEST_CASE("a database that fails delays a follower and loses nothing") {
  ServerUnderTest server;
  server.fill("s-1", 600);
  FollowerClient follower(server, "?after=start", kLines);
  server.world.faults.arm(Step::read, Fault::fail, 2);
  CHECK(follower.data(600) == from_to(1, 600));
}

TEST_CASE("stopping the server ends followers properly") {
  ServerUnderTest server;
  FollowerClient follower(server, "", kLines);
  CHECK(follower.line().find("caught-up") != std::string::npos);
  std::thread stopper(
      [&] { server.server->stop(std::chrono::steady_clock::now() + std::chrono::seconds(5)); });
  const auto chunk = follower.client().read_chunk();
  REQUIRE(chunk.has_value());
  CHECK(chunk->empty());
  CHECK(follower.client().at_end());
  stopper.join();
}

TEST_CASE("a client of HTTP/1.0 follows without chunks") {
  const ServerUnderTest server;
  server.fill("s-1", 1);
  Client client(server.server->port());
  client.send_raw("GET /v1/feed?after=start HTTP/1.0\r\nAccept: application/x-ndjson\r\n\r\n");
  const Answer head = client.read_head();
  CHECK(head.field("Transfer-Encoding") == "(none)");
  CHECK(head.field("Connection") == "close");
  CHECK(client.read_until("{\"kind\":\"event\""));
  CHECK(client.read_until("{\"kind\":\"caught-up\""));
}

TEST_CASE("an event's type can't break out of its line") {
  EventView event;
  event.stream = "s-1";
  event.type = "a\ndata: forged\r\nb";
  event.content_type = "application/json";
  event.data = "{\n}";
  std::string text;
  http::append_follow_event(text, http::FollowFormat::sse, event, "x");
  CHECK(count_of(text, "\n") == 4);
  CHECK(text.find("event: a data: forged  b\n") != std::string::npos);
}

}  // namespace
}  // namespace vouch::tests
