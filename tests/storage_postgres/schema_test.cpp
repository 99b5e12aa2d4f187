// The schema: raced for, refused when it is newer or somebody else's, and made with few rights.
#include "schema.h"

#include <catch2/catch.hpp>
#include <thread>

#include "postgres_fixture.h"

namespace vouch::postgres::test {

TEST_CASE("Eight hosts that make the same store at once all succeed, and it is made once") {
  const auto server = shared_server();
  if (!server) return;
  constexpr int kHosts = 8;
  std::vector<std::unique_ptr<Host>> hosts;
  for (int i = 0; i < kHosts; ++i) hosts.push_back(server->host());
  std::vector<Status> outcomes(kHosts);
  std::vector<std::thread> threads;
  for (int i = 0; i < kHosts; ++i)
    threads.emplace_back([&, i] { outcomes[i] = hosts[i]->start(); });
  for (std::thread& thread : threads) thread.join();
  for (const Status& outcome : outcomes) {
    INFO(outcome.to_string());
    CHECK(outcome.ok());
  }
  PostgresSession admin(server->address);
  const std::string& schema = server->schema.name();
  CHECK(admin.run("SELECT version FROM " + schema + ".vouch_schema") ==
        std::to_string(migrations().back().number));
  CHECK(admin.run("SELECT count(*) FROM " + schema + ".store") == "1");
}

TEST_CASE("Of hosts that race with different partition counts one kind is refused in words") {
  const auto server = shared_server();
  if (!server) return;
  constexpr int kHosts = 6;
  std::vector<std::unique_ptr<Host>> hosts;
  for (int i = 0; i < kHosts; ++i) {
    hosts.push_back(server->host());
    REQUIRE((*hosts.back())->open().ok());
  }
  std::vector<Status> outcomes(kHosts);
  std::vector<std::thread> threads;
  for (std::uint32_t i = 0; i < kHosts; ++i) {
    threads.emplace_back([&, i] { outcomes[i] = (*hosts[i])->migrate({"test", 4 + i % 2}); });
  }
  for (std::thread& thread : threads) thread.join();
  int refused = 0;
  for (const Status& outcome : outcomes) {
    if (outcome.ok()) continue;
    ++refused;
    CHECK(outcome.code() == StatusCode::failed_precondition);
    CHECK(outcome.message().find("4 partitions") != std::string::npos);
    CHECK(outcome.message().find("with 5") != std::string::npos);
  }
  CHECK(refused == kHosts / 2);
}

TEST_CASE("A schema that a newer Vouch made is refused and stays as it is") {
  const auto server = shared_server();
  if (!server) return;
  server->host()->started();
  PostgresSession admin(server->address);
  const std::string table = server->schema.name() + ".vouch_schema";
  admin.run("UPDATE " + table + " SET version = 999");
  const Status status = server->host()->start();
  CHECK(status.code() == StatusCode::failed_precondition);
  CHECK(status.message().find("999") != std::string::npos);
  CHECK(status.message().find("newer Vouch") != std::string::npos);
  CHECK(admin.run("SELECT version FROM " + table) == "999");
}

TEST_CASE("A schema with another program's tables is refused and stays as it is") {
  const auto server = shared_server();
  if (!server) return;
  PostgresSession admin(server->address);
  const std::string& schema = server->schema.name();
  admin.run("CREATE SCHEMA " + schema + "; CREATE TABLE " + schema + ".events (mine integer)");
  const Status status = server->host()->start();
  CHECK(status.code() == StatusCode::failed_precondition);
  CHECK(status.message().find("another program") != std::string::npos);
  CHECK(admin.run("SELECT count(*) FROM pg_tables WHERE schemaname = '" + schema + "'") == "1");
}

TEST_CASE("A user with rights on one schema alone runs a store in a database of others") {
  if (no_programs()) return;
  PrivatePostgres server;
  PostgresSession admin(server.address());
  admin.run(
      "CREATE TABLE public.events (others integer); INSERT INTO public.events VALUES (7);"
      "REVOKE ALL ON SCHEMA public FROM PUBLIC; REVOKE CREATE, TEMPORARY ON DATABASE postgres FROM "
      "PUBLIC; CREATE ROLE limited LOGIN PASSWORD 'pw'; CREATE SCHEMA mine AUTHORIZATION limited");
  PostgresAddress limited = server.address();
  limited.user = "limited";
  limited.password = "pw";
  Host host(limited, "mine");
  host.started();
  auto lane = host.lane();
  const Token token = commit_one(*lane, append_to("order-1")).token;
  CHECK(host.resolve(token) == Verdict::committed);
  const Token open = stage_one(*lane, append_to("order-1")).token;
  REQUIRE(host->fence(open).ok());
  CHECK(host.resolve(open) == Verdict::aborted);
  const auto ready = host.ready();
  REQUIRE(ready.size() == 1);
  const std::vector<DeliveryId> ids{ready[0].id};
  CHECK(host->ledger().complete(ids).ok());
  CHECK(host->ledger().purge(std::chrono::seconds(0), 100).ok());
  CHECK(host->ledger().claim({0}).ok());
  CHECK(admin.run("SELECT others FROM public.events") == "7");

  // One that may not change tables is a host as well, once they are there.
  admin.run(
      "CREATE ROLE hand LOGIN PASSWORD 'pw'; GRANT USAGE ON SCHEMA mine TO hand;"
      "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA mine TO hand");
  PostgresAddress hand = limited;
  hand.user = "hand";
  Host second(hand, "mine");
  second.started();
  auto second_lane = second.lane(1);
  const Token second_token = commit_one(*second_lane, append_to("order-2")).token;
  CHECK(host.resolve(second_token) == Verdict::committed);
  const Token others = stage_one(*second_lane, append_to("order-2")).token;
  CHECK(host.resolve(others) == Verdict::in_progress);  // of a user that it can't look at
  second_lane->rollback();
  CHECK(host.resolve(others) == Verdict::aborted);

  // Without a schema of its own, the one line says what is missing.
  Host stranger(limited, "elsewhere");
  const Status status = stranger.start();
  CHECK(status.code() == StatusCode::permission_denied);
  CHECK(status.message().find("right") != std::string::npos);
}

}  // namespace vouch::postgres::test
