// The schema: raced for, finished after a crash, refused when it is newer, and made with few
// rights.
#include "schema.h"

#include <catch2/catch.hpp>
#include <thread>

#include "mysql_fixture.h"

namespace vouch::mysql::test {

TEST_CASE("Eight hosts that make the same store at once all succeed, and it is made once") {
  const auto server = shared_server();
  if (!server) return;
  constexpr int kHosts = 8;
  std::vector<std::unique_ptr<Host>> hosts;
  for (int i = 0; i < kHosts; ++i) hosts.push_back(server->host());
  std::vector<Status> outcomes(kHosts);
  std::vector<std::thread> threads;
  for (int i = 0; i < kHosts; ++i) {
    threads.emplace_back([&, i] { outcomes[i] = hosts[i]->start(); });
  }
  for (std::thread& thread : threads) thread.join();
  for (const Status& outcome : outcomes) {
    INFO(outcome.to_string());
    CHECK(outcome.ok());
  }
  MysqlSession admin(server->address, server->database.name());
  CHECK(admin.run("SELECT version FROM vouch_schema") ==
        std::to_string(migrations().back().number));
  CHECK(admin.run("SELECT COUNT(*) FROM vouch_store") == "1");
}

TEST_CASE("Of hosts that race with different partition counts one kind is refused in words") {
  const auto server = shared_server();
  if (!server) return;
  constexpr int kHosts = 6;
  std::vector<std::unique_ptr<Host>> hosts;
  for (int i = 0; i < kHosts; ++i) {
    hosts.push_back(server->host());
    REQUIRE((**hosts.back()).open().ok());
  }
  std::vector<Status> outcomes(kHosts);
  std::vector<std::thread> threads;
  for (std::uint32_t i = 0; i < kHosts; ++i) {
    threads.emplace_back([&, i] { outcomes[i] = (**hosts[i]).migrate({"test", 4 + i % 2}); });
  }
  for (std::thread& thread : threads) thread.join();
  int refused = 0;
  for (const Status& outcome : outcomes) {
    if (outcome.ok()) continue;
    ++refused;
    CHECK(outcome.code() == StatusCode::failed_precondition);
    CHECK(outcome.message().find("with 4") != std::string::npos);
    CHECK(outcome.message().find("with 5") != std::string::npos);
  }
  CHECK(refused == kHosts / 2);
}

TEST_CASE("A migration that a crash cut off is finished by the next host") {
  const auto server = shared_server();
  if (!server) return;
  {
    const auto host = server->host();
    host->started();
    commit_one(*host->lane(), append_to("order-1"));
  }
  MysqlSession admin(server->address, server->database.name());
  // As if the host had died between two statements of the first migration, and of the second.
  for (const char* cut : {"DROP TABLE vouch_store", "DROP TABLE vouch_snapshots"}) {
    CAPTURE(cut);
    admin.run(cut);
    admin.run("DROP TABLE vouch_schema");
    const auto host = server->host();
    host->started();
    CHECK(host->head("order-1") == Version{1});
    CHECK(admin.run("SELECT version FROM vouch_schema") ==
          std::to_string(migrations().back().number));
  }
}

TEST_CASE("A schema that a newer Vouch made is refused and stays as it is") {
  const auto server = shared_server();
  if (!server) return;
  server->host()->started();
  MysqlSession admin(server->address, server->database.name());
  admin.run("UPDATE vouch_schema SET version = 999");
  const Status status = server->host()->start();
  CHECK(status.code() == StatusCode::failed_precondition);
  CHECK(status.message().find("999") != std::string::npos);
  CHECK(status.message().find("newer Vouch") != std::string::npos);
  CHECK(admin.run("SELECT version FROM vouch_schema") == "999");
}

TEST_CASE("A store lives beside another program's tables") {
  const auto server = shared_server();
  if (!server) return;
  MysqlSession admin(server->address, server->database.name());
  admin.run("CREATE TABLE events (mine INT)");
  admin.run("INSERT INTO events VALUES (7)");
  const auto host = server->host();
  host->started();
  commit_one(*host->lane(), append_to("order-1"));
  CHECK(admin.run("SELECT mine FROM events") == "7");
}

TEST_CASE("Whatever the server's default collation, names and keys compare by bytes") {
  const auto server = shared_server();
  if (!server) return;
  MysqlSession admin(server->address);
  admin.run("ALTER DATABASE " + server->database.name() + " COLLATE utf8mb4_general_ci");
  const auto host = server->host();
  host->started();
  auto lane = host->lane();
  commit_one(*lane, append_to("Order-1", 1, ExpectedVersion::none()));
  commit_one(*lane, append_to("order-1", 1, ExpectedVersion::none()));
  for (const char* key : {"key", "KEY", "key2"}) {
    Append append = append_to("order-1");
    append.idempotency = Idempotency{"order-1", key, "digest"};
    commit_one(*lane, append);
  }
  CHECK(host->head("order-1") == Version{4});
  CHECK(host->head("Order-1") == Version{1});
}

}  // namespace vouch::mysql::test
