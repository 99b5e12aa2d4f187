// Clients that are slow, stop in the middle, or send without end. Whatever they do ends in its
// time, writes nothing, and others are served meanwhile.
#include <catch2/catch.hpp>
#include <memory>

#include "server_under_test.h"

namespace vouch::tests {
namespace {

const std::string kEvent = R"({"type":"t","data":1})";
const std::string kHead =
    "POST /v1/streams/a-1/events HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n";

/// Sends `bytes` again and again, up to `total`, until the server has something to say.
void send_until_answered(Client& client, const std::string& bytes, std::size_t total) {
  for (std::size_t sent = 0; sent < total; sent += bytes.size()) {
    if (client.socket().poll(Poco::Timespan(), Poco::Net::Socket::SELECT_READ)) return;
    client.send_raw(bytes);
  }
}

TEST_CASE("a body of 50 MB is refused, announced or in chunks, before the server has taken it") {
  const ServerUnderTest server;  // with the limits that a configuration without any has
  const std::string piece(100'000, ' ');
  Client announced(server.server->port());
  announced.send_raw(kHead + "Content-Length: 50000000\r\n\r\n");
  send_until_answered(announced, piece, 50'000'000);
  const Answer refused = announced.read_answer();
  check_problem(refused, 413, "too-large");
  CHECK(refused.has("the body has more than 8388608 bytes"));
  CHECK(announced.at_end());

  Client chunked(server.server->port());
  chunked.send_raw(kHead + "Transfer-Encoding: chunked\r\n\r\n");
  send_until_answered(chunked, "186a0\r\n" + piece + "\r\n", 50'000'000);
  check_problem(chunked.read_answer(), 413, "too-large");
  CHECK(chunked.at_end());

  CHECK(server.append("a-1", kEvent).status == 201);
  CHECK(server.world.database.events().size() == 1);
}

TEST_CASE("many clients that send a byte now and then are all told, and others are served") {
  http::HttpOptions options;
  options.request_timeout = std::chrono::milliseconds(1'000);
  const ServerUnderTest server(options);
  std::vector<std::unique_ptr<Client>> slow;
  for (int i = 0; i < 40; ++i) {
    slow.push_back(std::make_unique<Client>(server.server->port()));
    slow.back()->send_raw(i % 2 == 0 ? std::string("GET /livez HTTP/1.1\r\nX: ")
                                     : kHead + "Content-Length: 5000\r\n\r\n");
  }
  const auto answered = [](Client& client) {
    return client.socket().poll(Poco::Timespan(), Poco::Net::Socket::SELECT_READ);
  };
  int served = 0;
  const bool all = eventually([&] {
    for (const auto& client : slow) {
      if (!answered(*client)) client->send_raw("x");
    }
    if (served < 5 && server.append("a-1", kEvent).status == 201) ++served;
    return std::all_of(slow.begin(), slow.end(), [&](const auto& one) { return answered(*one); });
  });
  CHECK(all);
  CHECK(served == 5);
  for (const auto& client : slow) {
    check_problem(client->read_answer(), 408, "request-timeout");
    CHECK(client->at_end());
  }
  CHECK(server.world.database.events().size() == 5);
}

TEST_CASE("a client that ends its side in the middle of a request gets no answer, only the end") {
  const ServerUnderTest server;
  const std::string parts[] = {
      "",
      "\r\n",
      "PO",
      "POST /v1/streams/a-1/events HTTP/1.1\r\nHost",
      kHead,
      kHead + "Content-Length: 22\r\n\r\n",
      kHead + "Content-Length: 22\r\n\r\n" + kEvent,
      kHead + "Transfer-Encoding: chunked\r\n\r\n",
      kHead + "Transfer-Encoding: chunked\r\n\r\n15\r\n" + kEvent,
      kHead + "Transfer-Encoding: chunked\r\n\r\n15\r\n" + kEvent + "\r\n",
      kHead + "Transfer-Encoding: chunked\r\n\r\n15\r\n" + kEvent + "\r\n0\r\n",
      kHead + "Transfer-Encoding: chunked\r\n\r\n15\r\n" + kEvent + "\r\n0\r\nTrailer: t\r\n",
  };
  for (const std::string& part : parts) {
    INFO(part);
    Client client(server.server->port());
    client.send_raw(part);
    client.socket().shutdownSend();
    CHECK(client.at_end());
  }
  CHECK(server.world.database.events().empty());
  CHECK(server.append("a-1", kEvent).status == 201);
}

TEST_CASE("a client that ends its side behind several requests gets the answers to all of them") {
  const ServerUnderTest server;
  Client client(server.server->port());
  const std::string request =
      kHead + "Content-Length: " + std::to_string(kEvent.size()) + "\r\n\r\n" + kEvent;
  client.send_raw(request + request + "GET /livez HTTP/1.1\r\nHost: h\r\n\r\n");
  client.socket().shutdownSend();
  CHECK(client.read_answer().status == 201);
  CHECK(client.read_answer().has(R"("first_version":2)"));
  CHECK(client.read_answer().body == "ok\n");
  CHECK(client.at_end());
}

TEST_CASE("a client that does not read its answer is ended when its time is over") {
  http::HttpOptions options;
  options.request_timeout = std::chrono::milliseconds(300);
  options.max_connections = 1;
  const ServerUnderTest server(options);
  // More than the buffers of both sockets hold.
  const std::string big = R"({"type":"t","data":")" + std::string(900'000, 'x') + R"("})";
  for (int i = 0; i < 30; ++i) {
    REQUIRE(eventually([&] { return server.append("big-1", big).status == 201; }));
  }
  std::unique_ptr<Client> deaf;  // holds the only connection as soon as it is served
  REQUIRE(eventually([&] {
    deaf = std::make_unique<Client>(server.server->port());
    return deaf->ask("GET", "/livez").status == 200;
  }));
  deaf->send("GET", "/v1/streams/big-1/events", {{"Accept", "application/x-ndjson"}});
  const Answer head = deaf->read_head();
  CHECK(head.status == 200);
  CHECK(eventually([&] { return server.ask("GET", "/livez").status == 200; }));
  CHECK_FALSE(deaf->read_body(head).complete);
}

}  // namespace
}  // namespace vouch::tests
