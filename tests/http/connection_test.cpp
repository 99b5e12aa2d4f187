// Connections: keep-alive, pipelining, bodies, slow and rude clients, limits, stopping.
#include <Poco/DateTime.h>
#include <Poco/DateTimeFormat.h>
#include <Poco/DateTimeParser.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <ctime>
#include <future>
#include <thread>

#include "server_under_test.h"

namespace vouch::tests {
namespace {

using testkit::Fault;
using testkit::Step;

const std::string kEvent = R"({"type":"t","data":1})";

TEST_CASE("a connection serves requests one after the other, also when they come together") {
  const ServerUnderTest server;
  Client client(server.server->port());
  for (int i = 0; i < 3; ++i) CHECK(client.ask("GET", "/livez").body == "ok\n");
  CHECK(client.ask("GET", "/nowhere").status == 404);
  client.send("GET", "/livez");
  client.send("GET", "/v1/info");
  CHECK(client.read_answer().body == "ok\n");
  CHECK(client.read_answer().body == R"({"version":"1"})");
  client.send("GET", "/livez", {{"Connection", "close"}});
  const Answer last = client.read_answer();
  CHECK(last.field("Connection") == "close");
  CHECK(client.at_end());
}

TEST_CASE("every answer tells the time at which it was made") {
  const ServerUnderTest server;
  Client client(server.server->port());
  const auto told = [&] {
    int zone = 0;
    return Poco::DateTimeParser::parse(Poco::DateTimeFormat::HTTP_FORMAT,
                                       client.ask("GET", "/livez").field("Date"), zone)
        .timestamp();
  };
  const std::time_t before = std::time(nullptr);
  const Poco::Timestamp first = told();
  CHECK(first.epochTime() >= before);
  // The same connection, so the same thread, which may have kept the text.
  std::this_thread::sleep_for(std::chrono::milliseconds(1'100));
  const Poco::Timestamp second = told();
  CHECK(second > first);
  CHECK(second.epochTime() <= std::time(nullptr));
}

TEST_CASE("a chunked body is taken as any other") {
  const ServerUnderTest server;
  Client client(server.server->port());
  client.send_raw(
      "POST /v1/streams/a-1/events HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n"
      "Transfer-Encoding: chunked\r\n\r\n5\r\n{\"typ\r\n10\r\ne\":\"t\",\"data\":1}\r\n0\r\n\r\n");
  CHECK(client.read_answer().status == 201);
  CHECK(client.ask("GET", "/livez").status == 200);
}

TEST_CASE("a client that asks before it sends a body is told to go on, or not to") {
  http::HttpOptions options;
  options.body_bytes = 100;
  const ServerUnderTest server(options);
  const std::string head =
      "POST /v1/streams/a-1/events HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n"
      "Expect: 100-continue\r\nContent-Length: ";
  Client client(server.server->port());
  client.send_raw(head + std::to_string(kEvent.size()) + "\r\n\r\n");
  CHECK(client.read_head().status == 100);
  client.send_raw(kEvent);
  CHECK(client.read_answer().status == 201);
  Client large(server.server->port());
  large.send_raw(head + "101\r\n\r\n");
  check_problem(large.read_answer(), 413, "too-large");
}

TEST_CASE("a body over the limit is refused, and the answer arrives though the body is not read") {
  http::HttpOptions options;
  options.body_bytes = 1'000;
  const ServerUnderTest server(options);
  check_problem(server.append("a-1", std::string(500'000, ' ')), 413, "too-large");
  Client client(server.server->port());
  client.send_raw(
      "POST /v1/streams/a-1/events HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
      "7d0\r\n");
  check_problem(client.read_answer(), 413, "too-large");
}

TEST_CASE("a request to nowhere with a body is answered without reading the body") {
  const ServerUnderTest server;
  Client client(server.server->port());
  client.send_raw("POST /v1/nowhere HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\nxxxx");
  check_problem(client.read_answer(), 404, "not-found");
  check_problem(server.ask("DELETE", "/v1/streams"), 405, "method-not-allowed");
  CHECK(server.ask("DELETE", "/v1/streams").field("Allow") == "GET, HEAD");
}

TEST_CASE("a client that sends byte by byte is ended when its time is over") {
  http::HttpOptions options;
  options.request_timeout = std::chrono::milliseconds(300);
  const ServerUnderTest server(options);
  for (const char* start : {"GET /livez HTTP/1.1\r\n",
                            "POST /v1/streams/a-1/events HTTP/1.1\r\nHost: h\r\n"
                            "Content-Type: application/json\r\nContent-Length: 5000\r\n\r\n"}) {
    Client client(server.server->port());
    client.send_raw(start);
    std::atomic<bool> answered{false};
    std::thread trickle([&] {
      for (int i = 0; i < 100 && !answered; ++i) {
        try {
          client.send_raw("x");
        } catch (const std::exception&) {
          return;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
      }
    });
    const auto started = std::chrono::steady_clock::now();
    const Answer answer = client.read_answer();
    answered = true;
    trickle.join();
    check_problem(answer, 408, "request-timeout");
    CHECK(std::chrono::steady_clock::now() - started < std::chrono::seconds(2));
  }
  CHECK(server.world.database.events().empty());
}

TEST_CASE("an idle connection is ended without a word when its time is over") {
  http::HttpOptions options;
  options.keep_alive_timeout = std::chrono::milliseconds(100);
  const ServerUnderTest server(options);
  Client client(server.server->port());
  CHECK(client.ask("GET", "/livez").status == 200);
  CHECK(client.at_end());
}

TEST_CASE("a client that has ended its own side still gets its answer") {
  const ServerUnderTest server;
  Client client(server.server->port());
  client.send("POST", "/v1/streams/a-1/events", {{"Content-Type", "application/json"}}, kEvent);
  client.socket().shutdownSend();
  CHECK(client.read_answer().status == 201);
  CHECK(client.at_end());
}

TEST_CASE("a client that vanishes in the middle of a body writes nothing") {
  const ServerUnderTest server;
  {
    Client client(server.server->port());
    client.send_raw(
        "POST /v1/streams/a-1/events HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n"
        "Content-Length: 500\r\n\r\n" +
        kEvent);
  }
  CHECK(server.append("a-2", kEvent).status == 201);
  CHECK(server.world.database.events().size() == 1);
}

TEST_CASE("connections beyond the limit are told so at once") {
  http::HttpOptions options;
  options.max_connections = 3;
  const ServerUnderTest server(options);
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(std::make_unique<Client>(server.server->port()));
    CHECK(clients.back()->ask("GET", "/livez").status == 200);
  }
  const Answer refused = server.ask("GET", "/livez");
  check_problem(refused, 503, "overloaded");
  CHECK(refused.field("Retry-After") == "1");
  clients.pop_back();
  CHECK(eventually([&] { return server.ask("GET", "/livez").status == 200; }));
}

TEST_CASE("followers do not count as connections") {
  http::HttpOptions options;
  options.max_connections = 2;
  const ServerUnderTest server(options);
  std::vector<std::unique_ptr<Client>> followers;
  for (int i = 0; i < 20; ++i) {
    REQUIRE(eventually([&] {
      auto client = std::make_unique<Client>(server.server->port());
      client->send("GET", "/v1/feed");
      const bool taken = client->read_head().status == 200;
      if (taken) followers.push_back(std::move(client));
      return taken;
    }));
  }
  CHECK(server.ask("GET", "/livez").status == 200);
}

TEST_CASE("stopping lets a request under way finish and ends idle connections at once") {
  ServerUnderTest server;
  Client idle(server.server->port());
  CHECK(idle.ask("GET", "/livez").status == 200);
  server.world.faults.arm(Step::commit, Fault::stall);
  auto answer = std::async(std::launch::async, [&] { return server.append("a-1", kEvent); });
  REQUIRE(server.world.faults.wait_stalled(Step::commit));
  auto stopped = std::async(std::launch::async, [&] {
    server.server->stop(std::chrono::steady_clock::now() + std::chrono::seconds(10));
  });
  CHECK(idle.at_end());
  CHECK(stopped.wait_for(std::chrono::milliseconds(50)) == std::future_status::timeout);
  server.world.faults.release();
  const Answer finished = answer.get();
  CHECK(finished.status == 201);
  CHECK(finished.field("Connection") == "close");
  stopped.get();
  CHECK_THROWS(Client(server.server->port()).ask("GET", "/livez"));
}

TEST_CASE("a request whose body comes only after stopping began is told that the server stops") {
  ServerUnderTest server;
  Client client(server.server->port());
  CHECK(client.ask("GET", "/livez").status == 200);
  client.send_raw("GET /v1/info HTTP/1.1\r\n");
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  auto stopped = std::async(std::launch::async, [&] {
    server.server->stop(std::chrono::steady_clock::now() + std::chrono::seconds(10));
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(400));
  client.send_raw("Host: h\r\n\r\n");
  check_problem(client.read_answer(), 503, "shutting-down");
  stopped.get();
}

TEST_CASE("a connection that is still busy at the deadline is cut") {
  ServerUnderTest server;
  Client client(server.server->port());
  client.send_raw("POST /v1/streams/a-1/events HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n");
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  const auto started = std::chrono::steady_clock::now();
  server.server->stop(started + std::chrono::milliseconds(100));
  CHECK(std::chrono::steady_clock::now() - started < std::chrono::seconds(3));
  CHECK(client.at_end());
}

TEST_CASE("an address in use is said in words") {
  ServerUnderTest server;
  http::HttpOptions options;
  options.listen = "127.0.0.1:" + std::to_string(server.server->port());
  http::HttpServer second(options,
                          http::HttpBackends{.append = server.host.appends(),
                                             .saga = server.host.saga(),
                                             .replays = server.host.replays(),
                                             .storage = server.host.storage(),
                                             .live_feed = server.host.live_feed(),
                                             .store = "shop",
                                             .partitions = 4,
                                             .readiness = {},
                                             .stuck_calls = {},
                                             .metrics = {},
                                             .info = {}},
                          server.host.services());
  const Status status = second.start();
  CHECK(status.code() == StatusCode::unavailable);
  CHECK(status.message().find(options.listen) != std::string::npos);
}

}  // namespace
}  // namespace vouch::tests
