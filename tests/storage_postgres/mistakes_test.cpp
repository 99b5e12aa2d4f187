// An operator's mistakes: each gets one clear line, and none tells the password.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <catch2/catch.hpp>
#include <thread>

#include "errors.h"
#include "postgres_fixture.h"

namespace vouch::postgres::test {
namespace {

constexpr const char* kWrongPassword = "wr0ng-s3cret";

/// What starting a host says; one line, without a password.
Status starting(const PostgresAddress& address, MoreSettings more = {}) {
  more.push_back({"connect_timeout", "3s"});
  Host host(address, "store", std::move(more));
  Status status = host.start();
  for (const std::string& secret : {address.password, std::string(kWrongPassword)}) {
    CHECK(status.message().find(secret) == std::string::npos);
    CHECK(host->health().detail.find(secret) == std::string::npos);
    for (const std::string& line : host.services().log_lines()) {
      CHECK(line.find(secret) == std::string::npos);
    }
  }
  CHECK(status.message().find('\n') == std::string::npos);
  return status;
}

void check_line(const Status& status, StatusCode code, const std::string& words) {
  INFO(status.to_string());
  CHECK(status.code() == code);
  CHECK(status.message().find(words) != std::string::npos);
}

/// A message of the server (https://www.postgresql.org/docs/15/protocol-message-formats.html).
std::string protocol_message(char type, const std::string& content) {
  const std::uint32_t size = htonl(static_cast<std::uint32_t>(content.size() + 4));
  return type + std::string(reinterpret_cast<const char*>(&size), 4) + content;
}

std::string refusal(const std::string& state, const std::string& message) {
  const std::string end(1, '\0');
  return protocol_message(
      'E', "SFATAL" + end + "VFATAL" + end + "C" + state + end + "M" + message + end + end);
}

/// Lets everybody in and says how old it is.
std::string welcome(const std::string& version) {
  const std::string end(1, '\0');
  return protocol_message('R', std::string(4, '\0')) +
         protocol_message('S', "server_version" + end + version + end) +
         protocol_message('S', "client_encoding" + end + "UTF8" + end) + protocol_message('Z', "I");
}

/// Says one thing to whoever connects: the server that is not ready.
class RefusingServer {
 public:
  explicit RefusingServer(std::string answer) : answer_(std::move(answer)) {
    sockaddr_in place{};
    place.sin_family = AF_INET;
    place.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof place;
    auto* const raw = reinterpret_cast<sockaddr*>(&place);
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    REQUIRE(::bind(listener_, raw, length) == 0);
    REQUIRE(::listen(listener_, 8) == 0);
    REQUIRE(::getsockname(listener_, raw, &length) == 0);
    port_ = ntohs(place.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  RefusingServer(const RefusingServer&) = delete;
  RefusingServer& operator=(const RefusingServer&) = delete;
  ~RefusingServer() {
    stopping_ = true;
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }
  [[nodiscard]] PostgresAddress address() const {
    return {"127.0.0.1", port_, "shop", "vouch", "s3cret-of-vouch"};
  }

 private:
  void serve() {
    while (!stopping_.load()) {
      const int client = ::accept(listener_, nullptr, nullptr);
      if (client < 0) continue;
      std::array<char, 1'000> request;
      // An SSLRequest (8 bytes) is answered with 'N', then the start-up message comes.
      ssize_t got = ::recv(client, request.data(), request.size(), 0);
      if (got == 8) {
        ::send(client, "N", 1, MSG_NOSIGNAL);
        got = ::recv(client, request.data(), request.size(), 0);
      }
      if (got > 0) ::send(client, answer_.data(), answer_.size(), MSG_NOSIGNAL);
      // Whoever was let in may say something and go; an answer never comes.
      while (::recv(client, request.data(), request.size(), 0) > 0 && !stopping_.load()) {
      }
      ::close(client);
    }
  }

  std::string answer_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace

TEST_CASE("Who can't get in is told why in one line") {
  if (no_programs()) return;
  PrivatePostgres server;
  PostgresAddress wrong = server.address();
  wrong.password = kWrongPassword;
  check_line(starting(wrong), StatusCode::unauthenticated, "password");
  wrong = server.address();
  wrong.user = "nobody_knows";
  check_line(starting(wrong), StatusCode::unauthenticated, "not accepted");
  wrong = server.address();
  wrong.database = "no_such_database";
  check_line(starting(wrong), StatusCode::failed_precondition, "no such database");
  wrong = server.address();
  wrong.port = 1;
  check_line(starting(wrong), StatusCode::unavailable, "127.0.0.1:1");
  wrong = server.address();
  wrong.host = "no-such-host.invalid";
  check_line(starting(wrong), StatusCode::unavailable, "no-such-host.invalid");
  CHECK(starting(server.address()).ok());
}

TEST_CASE("Server settings that could lose a commit are refused in words with what to do") {
  if (no_programs()) return;
  PrivatePostgres server;
  PostgresSession admin(server.address());
  const auto with = [&](const std::string& setting, const std::string& value) {
    admin.run("ALTER SYSTEM SET " + setting + " = " + value);
    admin.run("SELECT pg_reload_conf()");
    const bool reloaded = eventually([&] {
      PostgresSession fresh(server.address());
      return fresh.run("SHOW " + setting) == value;
    });
    REQUIRE(reloaded);
    Status status = starting(server.address());
    admin.run("ALTER SYSTEM RESET " + setting);
    admin.run("SELECT pg_reload_conf()");
    REQUIRE(eventually([&] {
      PostgresSession fresh(server.address());
      return fresh.run("SHOW " + setting) != value;
    }));
    return status;
  };
  check_line(with("fsync", "off"), StatusCode::failed_precondition, "fsync is off");
  check_line(with("full_page_writes", "off"), StatusCode::failed_precondition,
             "full_page_writes is off");
  check_line(with("synchronous_commit", "off"), StatusCode::failed_precondition,
             "synchronous_commit is off");
  CHECK(starting(server.address()).ok());
  // For this user alone, where the server's own setting looks good.
  admin.run("ALTER ROLE admin SET synchronous_commit = off");
  check_line(starting(server.address()), StatusCode::failed_precondition,
             "synchronous_commit is off");
  // "local" is as good as "on", unless there are replicas that should have every commit.
  admin.run("ALTER ROLE admin SET synchronous_commit = local");
  CHECK(starting(server.address()).ok());
  check_line(with("synchronous_standby_names", "replica"), StatusCode::failed_precondition,
             "synchronous_commit is local");
}

TEST_CASE("A replica is refused, and a database that is read-only") {
  if (no_programs()) return;
  PrivatePostgres server;
  server.become_standby();
  check_line(starting(server.address()), StatusCode::failed_precondition, "replica");
}

TEST_CASE("A server that starts up, stops or is full says so") {
  {
    const RefusingServer server(refusal("57P03", "the database system is starting up"));
    check_line(starting(server.address()), StatusCode::unavailable, "starting up");
  }
  {
    const RefusingServer server(refusal("53300", "sorry, too many clients already"));
    check_line(starting(server.address()), StatusCode::unavailable, "max_connections");
  }
}

TEST_CASE("A server that is too old is refused with what is needed") {
  const RefusingServer server(welcome("12.22"));
  check_line(starting(server.address()), StatusCode::failed_precondition,
             "the server is PostgreSQL 12.22; Vouch needs PostgreSQL 13 or later");
}

TEST_CASE("Each error of the server has its code and its words") {
  const auto status = [](const char* state) {
    return status_of(SqlError(state, "ERROR:  said\nDETAIL:  more\n"), "db:5432/shop");
  };
  check_line(status("53100"), StatusCode::unavailable, "disk is full");
  check_line(status("42501"), StatusCode::permission_denied, "right");
  check_line(status("40P01"), StatusCode::contended, "deadlock");
  check_line(status("55P03"), StatusCode::contended, "transaction");
  check_line(status("XX001"), StatusCode::corrupt, "backup");
  check_line(status("57P01"), StatusCode::unavailable, "ended the session");
  check_line(status("99999"), StatusCode::internal, "said");
  CHECK(status("53100").message().find('\n') == std::string::npos);
  CHECK(status("53100").message().find("db:5432/shop") == 0);
}

}  // namespace vouch::postgres::test
