// An operator's mistakes: each gets one clear line, and none tells the password.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <thread>

#include "mysql_fixture.h"

namespace vouch::mysql::test {
namespace {

constexpr const char* kWrongPassword = "wr0ng-s3cret";

/// What starting a host says; one line, without a password.
Status starting(const MysqlAddress& address, const std::string& database, MoreSettings more = {}) {
  more.push_back({"connect_timeout", "3s"});
  Host host(address, database, std::move(more));
  Status status = host.start();
  for (const std::string& secret : {address.password, std::string(kWrongPassword)}) {
    if (secret.size() < 8) continue;  // a word that stands elsewhere, too
    CHECK(status.message().find(secret) == std::string::npos);
    CHECK((*host).health().detail.find(secret) == std::string::npos);
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

/// A user with a password that is recognised in messages, gone at the end.
class ScratchUser {
 public:
  ScratchUser(const SharedServer& server, const std::string& grants, const std::string& on)
      : admin_(server.address), address_(server.address) {
    address_.user = server.database.name().substr(0, 30) + "u";
    address_.password = "s3cret-of-user";
    account_ = "'" + address_.user + "'@'%'";
    admin_.run("CREATE USER " + account_ + " IDENTIFIED BY '" + address_.password + "'");
    admin_.run("GRANT " + grants + " ON " + on + " TO " + account_);
  }
  ScratchUser(const ScratchUser&) = delete;
  ScratchUser& operator=(const ScratchUser&) = delete;
  ~ScratchUser() { admin_.run("DROP USER " + account_); }
  [[nodiscard]] const MysqlAddress& address() const { return address_; }
  void grant(const std::string& grants, const std::string& on) {
    admin_.run("GRANT " + grants + " ON " + on + " TO " + account_);
  }

 private:
  MysqlSession admin_;
  MysqlAddress address_;
  std::string account_;
};

/// Speaks another protocol to whoever connects.
class Stranger {
 public:
  explicit Stranger(std::string greeting) : greeting_(std::move(greeting)) {
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
  Stranger(const Stranger&) = delete;
  Stranger& operator=(const Stranger&) = delete;
  ~Stranger() {
    stopping_ = true;
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }
  [[nodiscard]] MysqlAddress address() const {
    return {"127.0.0.1", port_, "vouch", "s3cret-of-vouch"};
  }

 private:
  void serve() {
    while (!stopping_) {
      const int client = ::accept(listener_, nullptr, nullptr);
      if (client < 0) return;
      static_cast<void>(::send(client, greeting_.data(), greeting_.size(), MSG_NOSIGNAL));
      ::close(client);
    }
  }

  const std::string greeting_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

/// The greeting of an old server, as its protocol has it.
std::string greeting_of(const std::string& version) {
  std::string body = "\x0a" + version + '\0' +
                     std::string("\1\0\0\0abcdefgh\0\xff\xf7\x2d\2\0", 18) +
                     std::string("\x0f\x80\x15", 3) + std::string(10, '\0') + "ijklmnopqrst" +
                     '\0' + "mysql_native_password" + '\0';
  const auto size = static_cast<char>(body.size());
  return std::string{size, '\0', '\0', '\0'} + body;
}

}  // namespace

TEST_CASE("A wrong password, user, database, host or port is one clear line") {
  const auto server = shared_server();
  if (!server) return;
  const std::string& database = server->database.name();
  MysqlAddress wrong = server->address;
  wrong.password = kWrongPassword;
  check_line(starting(wrong, database), StatusCode::unauthenticated, "check user and password");
  wrong = server->address;
  wrong.user = "nobody_of_that_name";
  check_line(starting(wrong, database), StatusCode::unauthenticated, "'nobody_of_that_name'");
  check_line(starting(server->address, "no_such_database"), StatusCode::failed_precondition,
             "CREATE DATABASE");
  wrong = server->address;
  wrong.port = 1;
  check_line(starting(wrong, database), StatusCode::unavailable, "is it running");
  wrong.host = "no-such-host.invalid";
  check_line(starting(wrong, database), StatusCode::unavailable, "no-such-host.invalid");
}

TEST_CASE("Whatever answers at the port and is no server of ours is named") {
  {
    const Stranger web("HTTP/1.1 400 Bad Request\r\n\r\n");
    const Status status = starting(web.address(), "shop");
    INFO(status.to_string());
    CHECK(status.code() == StatusCode::unavailable);
    CHECK(status.message().find("127.0.0.1:") != std::string::npos);
  }
  const Stranger silent("");
  const Status status = starting(silent.address(), "shop");
  INFO(status.to_string());
  CHECK(status.code() == StatusCode::unavailable);
}

TEST_CASE("A user's missing rights are told with what to grant") {
  const auto server = shared_server();
  if (!server) return;
  const std::string& database = server->database.name();
  ScratchUser user(*server, "SELECT", database + ".*");
  MysqlSession admin(server->address);
  const bool flushes =
      admin.run("SELECT @@log_bin") != "1" || admin.run("SELECT @@sync_binlog") != "1";
  if (flushes) {
    check_line(starting(user.address(), database), StatusCode::permission_denied, "GRANT RELOAD");
    user.grant("RELOAD", "*.*");
  }
  check_line(starting(user.address(), database), StatusCode::permission_denied, "CREATE");
  user.grant("CREATE", database + ".*");
  check_line(starting(user.address(), database), StatusCode::permission_denied, "INSERT");
  check_line(starting(user.address(), "mysql"), StatusCode::permission_denied, "has no right");
  user.grant("INSERT, UPDATE, DELETE", database + ".*");
  // These rights are all that a store needs.
  Host host(user.address(), database);
  host.started();
  auto lane = host.lane();
  const StagedGroup group = commit_one(*lane, append_to("order-1"));
  const Token open = stage_one(*lane, append_to("order-1")).token;
  REQUIRE((*host).fence(open).ok());
  CHECK(host.resolve(open) == Verdict::aborted);
  auto claim = (*host).ledger().claim({0});
  REQUIRE(claim.ok());
  const std::vector<DeliveryId> all{group.deliveries[0].id};
  REQUIRE((*host).ledger().complete(all).ok());
  const auto purged = (*host).ledger().purge(std::chrono::seconds(0), 100);
  REQUIRE(purged.ok());
  CHECK(*purged == 1);
}

TEST_CASE("A server that would lose or tear commits is refused with what to set") {
  if (no_programs()) return;
  struct Wrong {
    std::vector<std::string> arguments;
    std::string words;
  };
  const std::vector<Wrong> all{
      {{"--innodb-flush-log-at-trx-commit=2"}, "set it to 1"},
      {{"--innodb-doublewrite=0"}, "innodb_doublewrite"},
      {{"--auto-increment-increment=2"}, "auto_increment_increment"},
      {{"--log-bin=bin", "--binlog-format=STATEMENT"}, "ROW or MIXED"},
      {{"--read-only=1"}, "read-only"},
  };
  PrivateMysql server;
  const ScratchDatabase database(server.address());
  for (const Wrong& wrong : all) {
    CAPTURE(wrong.words);
    server.kill();
    server.configure(wrong.arguments);
    server.start();
    check_line(starting(server.address(), database.name()), StatusCode::failed_precondition,
               wrong.words);
  }
}

TEST_CASE("A server that turns read-only says so, and appends work again afterwards") {
  if (no_programs()) return;
  PrivateMysql server;
  const ScratchDatabase database(server.address());
  MysqlSession admin(server.address());
  MysqlAddress address = server.address();
  address.user = "vouch";
  address.password = "s3cret-of-user";
  admin.run("CREATE USER vouch@'%' IDENTIFIED BY '" + address.password + "'");
  admin.run("GRANT ALL ON " + database.name() + ".* TO vouch@'%'");
  admin.run("GRANT RELOAD ON *.* TO vouch@'%'");
  Host host(address, database.name());
  host.started();
  auto lane = host.lane();
  admin.run("SET GLOBAL read_only = ON");
  const Append append = append_to("order-1");
  check_line(lane->stage(std::span<const Append>(&append, 1)).status(), StatusCode::unavailable,
             "read-only");
  REQUIRE(eventually([&] { return !(*host).health().ok; }));
  CHECK((*host).health().detail.find("read-only") != std::string::npos);
  admin.run("SET GLOBAL read_only = OFF");
  commit_one(*lane, append);
  REQUIRE(eventually([&] { return (*host).health().ok; }));
}

TEST_CASE("A server that starts is waited for by a host that runs, and named to one that starts") {
  if (no_programs()) return;
  PrivateMysql server;
  const ScratchDatabase database(server.address());
  Host host(server.address(), database.name());
  host.started();
  auto lane = host.lane();
  commit_one(*lane, append_to("order-1"));
  server.kill();
  check_line(starting(server.address(), database.name()), StatusCode::unavailable, "is it running");
  const Append append = append_to("order-1");
  CHECK(lane->stage(std::span<const Append>(&append, 1)).status().code() ==
        StatusCode::unavailable);
  server.start();
  commit_one(*lane, append);
  REQUIRE(eventually([&] { return (*host).health().ok; }));
  CHECK(host.head("order-1") == Version{2});
}

TEST_CASE("A server that is too old is refused with what is needed") {
  CHECK(Server::from("10.5.19-MariaDB").supported().code() == StatusCode::failed_precondition);
  CHECK(Server::from("5.7.44-log").supported().message().find("MySQL 8.0") != std::string::npos);
  CHECK(Server::from("10.6.0-MariaDB-log").supported().ok());
  CHECK(Server::from("5.5.5-10.11.19-MariaDB-0+deb12u1").supported().ok());
  CHECK(Server::from("8.0.36").supported().ok());
  CHECK(Server::from("8.4.1-0ubuntu0").version == 80'401);
  const Stranger old(greeting_of("5.5.62"));
  const Status status = starting(old.address(), "shop");
  INFO(status.to_string());
  CHECK_FALSE(status.ok());
}

TEST_CASE("A payload beyond what the server takes in one statement is too large, in words") {
  const auto server = shared_server();
  if (!server) return;
  const auto host = server->host();
  host->started();
  auto lane = host->lane();
  MysqlSession admin(server->address);
  const std::uint64_t most = std::stoull(admin.run("SELECT @@global.max_allowed_packet"));
  Append append = append_to("order-1");
  append.writes[0].events[0].data.assign(most, 'x');
  check_line(lane->stage(std::span<const Append>(&append, 1)).status(), StatusCode::too_large,
             "max_allowed_packet");
  // As large as it says it may be, several in one group.
  Append large = append_to("order-1", 3);
  for (NewEvent& event : large.writes[0].events) {
    event.data.assign((**host).capabilities().max_event_bytes - 1'000, 'y');
  }
  commit_one(*lane, large);
  CHECK(host->head("order-1") == Version{3});
}

}  // namespace vouch::mysql::test
