// The proxy against a server that answers with what it was sent.
#include "proxy/proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <catch2/catch.hpp>
#include <optional>
#include <string>
#include <thread>

namespace vouch::proxy::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

/// Answers each piece of bytes with the same bytes, one thread for each connection.
class EchoServer {
 public:
  EchoServer() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in own{};
    own.sin_family = AF_INET;
    own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof own;
    ::bind(listener_.get(), reinterpret_cast<sockaddr*>(&own), size);
    ::listen(listener_.get(), 16);
    ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&own), &size);
    port = ntohs(own.sin_port);
    accepting_ = std::thread([this] { accept(); });
  }
  ~EchoServer() {
    ::shutdown(listener_.get(), SHUT_RDWR);
    accepting_.join();
    for (std::thread& each : echoing_) each.join();
  }
  std::uint16_t port = 0;
  std::atomic<int> requests{0};

 private:
  void accept() {
    while (true) {
      const int peer = ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC);
      if (peer < 0) return;
      echoing_.emplace_back([this, peer] {
        const FileDescriptor owned(peer);
        char bytes[4096];
        for (ssize_t n = 0; (n = ::recv(peer, bytes, sizeof bytes, 0)) > 0;) {
          ++requests;
          ::send(peer, bytes, static_cast<std::size_t>(n), MSG_NOSIGNAL);
        }
      });
    }
  }
  FileDescriptor listener_;
  std::thread accepting_;
  std::vector<std::thread> echoing_;
};

class Client {
 public:
  explicit Client(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    to.sin_port = htons(port);
    ::connect(socket_.get(), reinterpret_cast<sockaddr*>(&to), sizeof to);
    const timeval patience{5, 0};
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  }
  void send(const std::string& text) const {
    ::send(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL);
  }
  /// Empty at the end; nothing if the connection broke.
  [[nodiscard]] std::optional<std::string> receive() const {
    char bytes[4096];
    const ssize_t n = ::recv(socket_.get(), bytes, sizeof bytes, 0);
    if (n < 0) return std::nullopt;
    return std::string(bytes, static_cast<std::size_t>(n));
  }
  [[nodiscard]] std::optional<std::string> ask(const std::string& text) const {
    send(text);
    return receive();
  }

 private:
  FileDescriptor socket_;
};

struct Proxied {
  EchoServer server;
  std::unique_ptr<Proxy> proxy = Proxy::start("127.0.0.1", server.port).value();
  Client client{proxy->port()};
};

TEST_CASE("A proxy passes bytes on in both directions") {
  const Proxied all;
  CHECK(all.client.ask("one") == "one");
  CHECK(all.client.ask("two") == "two");
  CHECK(all.proxy->connections() == 1);
}

TEST_CASE("A cut connection breaks, and a new one works") {
  const Proxied all;
  REQUIRE(all.client.ask("one") == "one");
  all.proxy->cut_all();
  CHECK_FALSE(all.client.receive());
  CHECK(Client(all.proxy->port()).ask("two") == "two");
}

TEST_CASE("While a proxy refuses, connections end at once") {
  const Proxied all;
  all.proxy->refuse(true);
  CHECK(Client(all.proxy->port()).ask("one").value_or("") == "");
  all.proxy->refuse(false);
  CHECK(Client(all.proxy->port()).ask("two") == "two");
}

TEST_CASE("What is held is passed on later, and nothing is lost") {
  const Proxied all;
  REQUIRE(all.client.ask("one") == "one");
  all.proxy->hold(true);
  all.client.send("two");
  std::this_thread::sleep_for(milliseconds(100));
  CHECK(all.server.requests == 1);
  all.proxy->hold(false);
  CHECK(all.client.receive() == "two");
}

TEST_CASE("A lost answer: the request arrives, the connection breaks") {
  const Proxied all;
  REQUIRE(all.client.ask("one") == "one");
  all.proxy->lose_answers(true);
  CHECK_FALSE(all.client.ask("two"));
  CHECK(all.server.requests == 2);
}

TEST_CASE("Delayed answers come later, in order") {
  const Proxied all;
  all.proxy->delay_answers(milliseconds(200));
  const auto begin = steady_clock::now();
  REQUIRE(all.client.ask("one") == "one");
  CHECK(steady_clock::now() - begin >= milliseconds(200));
  all.client.send("two");
  std::this_thread::sleep_for(milliseconds(50));
  all.proxy->delay_answers(milliseconds(0));
  all.client.send("three");
  std::string answers;
  while (answers.size() < 8) answers += all.client.receive().value_or("broken!!");
  CHECK(answers == "twothree");
}

TEST_CASE("A half-closed connection ends for its reader") {
  const Proxied all;
  REQUIRE(all.client.ask("one") == "one");
  all.proxy->half_close_all();
  CHECK(all.client.receive() == "");
}

TEST_CASE("A name that nobody knows is an error in words") {
  const auto proxy = Proxy::start("no-such-host.invalid", 1);
  REQUIRE_FALSE(proxy.ok());
  CHECK(proxy.status().message().find("no-such-host.invalid") != std::string::npos);
  CHECK(Proxy::look_for_server("no-such-host.invalid", 1).code() == StatusCode::unavailable);
}

TEST_CASE("A proxy listens on the port that was asked for, one after the other") {
  std::uint16_t port = 0;
  {
    const Proxied first;
    port = first.proxy->port();
    REQUIRE(first.client.ask("one") == "one");
    CHECK_FALSE(Proxy::start("127.0.0.1", first.server.port, port).ok());
  }
  const EchoServer server;
  const auto second = Proxy::start("127.0.0.1", server.port, port).value();
  CHECK(second->port() == port);
  CHECK(Client(port).ask("two") == "two");
}

TEST_CASE("Whether a server listens is said in words") {
  std::uint16_t port = 0;
  {
    const EchoServer server;
    port = server.port;
    CHECK(Proxy::look_for_server("127.0.0.1", port).ok());
  }
  CHECK(Proxy::look_for_server("127.0.0.1", port).message() == "can't connect: Connection refused");
}

}  // namespace
}  // namespace vouch::proxy::test
