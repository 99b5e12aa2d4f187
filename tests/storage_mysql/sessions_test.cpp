// Sessions that die: lanes and claims move, transactions end, and nobody else is hurt.
#include <catch2/catch.hpp>

#include "mysql_fixture.h"

namespace vouch::mysql::test {
namespace {

/// The server's number of the lane's session.
std::string session_of_lane(const SharedServer& server) {
  return MysqlSession(server.address, server.database.name())
      .run("SELECT session FROM vouch_lanes WHERE lane = 0");
}

bool lives(MysqlSession& admin, const std::string& session) {
  return admin.run("SELECT COUNT(*) FROM information_schema.processlist WHERE id = " + session) !=
         "0";
}

}  // namespace

TEST_CASE("A lane whose session was ended goes on with a new one and a new incarnation") {
  const auto server = shared_server();
  if (!server) return;
  const auto host = server->host();
  host->started();
  MysqlSession admin(server->address);
  auto lane = host->lane();
  const Token open = stage_one(*lane, append_to("order-1")).token;
  admin.run("KILL CONNECTION " + session_of_lane(*server));
  CHECK(lane->commit().outcome != CommitOutcome::committed);
  REQUIRE(eventually([&] { return host->resolve(open) != Verdict::in_progress; }));
  CHECK(host->resolve(open) == Verdict::aborted);

  // Once more between two transactions: the next one notices the loss and goes on at once.
  const Token before = commit_one(*lane, append_to("order-1")).token;
  const std::string session = session_of_lane(*server);
  admin.run("KILL CONNECTION " + session);
  REQUIRE(eventually([&] { return !lives(admin, session); }));
  const Token after = commit_one(*lane, append_to("order-1")).token;
  CHECK(after.batch.value >> 32U > before.batch.value >> 32U);
  CHECK(host->head("order-1") == Version{2});
}

TEST_CASE("The lane of a killed session is free, and its transaction is over by then") {
  const auto server = shared_server();
  if (!server) return;
  Detour way(server->address);
  Host first(way.address, server->database.name());
  first.started();
  const auto second = server->host();
  second->started();
  auto lane = first.lane();
  const Token open = stage_one(*lane, append_to("order-1", 500)).token;
  const Status held = (**second).lane({0}, std::chrono::milliseconds(100)).status();
  CHECK(held.code() == StatusCode::held);
  CHECK(held.message().find("lane 0") != std::string::npos);
  way.proxy.refuse(true);
  way.proxy.cut();
  auto taken = (**second).lane({0}, std::chrono::seconds(20));
  REQUIRE(taken.ok());
  CHECK(second->resolve(open) == Verdict::aborted);
  const Token next = commit_one(**taken, append_to("order-1")).token;
  CHECK(next.batch > open.batch);
  // The first host finds its lane taken, in words.
  way.proxy.refuse(false);
  CHECK(lane->commit().outcome != CommitOutcome::committed);
  const Append append = append_to("order-1");
  const Status refused = lane->stage(std::span<const Append>(&append, 1)).status();
  CHECK(refused.code() == StatusCode::unavailable);
  CHECK(refused.message().find("belongs to session") != std::string::npos);
}

TEST_CASE("A host that stands still loses its transaction and its partitions to the server") {
  const auto server = shared_server();
  if (!server) return;
  Detour way(server->address);
  Host still(way.address, server->database.name(),
             {{"idle_transaction_timeout", "2s"}, {"lost_host_timeout", "3s"}});
  still.started();
  const auto other = server->host();
  other->started();
  auto lane = still.lane();
  auto claim = (*still).ledger().claim({2});
  REQUIRE(claim.ok());
  const Token open = stage_one(*lane, append_to("order-1")).token;
  CHECK(other->resolve(open) == Verdict::in_progress);
  CHECK((**other).ledger().claim({2}).status().code() == StatusCode::held);
  way.proxy.silence(true);  // nothing is closed: the server hears and sees nothing
  REQUIRE(eventually([&] { return other->resolve(open) != Verdict::in_progress; }));
  CHECK(other->resolve(open) == Verdict::aborted);
  Result<std::unique_ptr<Claim>> moved = Status(StatusCode::held, "not yet");
  REQUIRE(eventually([&] {
    moved = (**other).ledger().claim({2});
    return moved.ok();
  }));
  // The holder knows by then, although nobody could tell it.
  CHECK_FALSE((*claim)->held());
  way.proxy.silence(false);
  CHECK(lane->commit().outcome != CommitOutcome::committed);
  CHECK((*moved)->held());
  CHECK(other->head("order-1") == Version{0});
}

TEST_CASE("A claim moves when its session is ended, and its holder knows") {
  const auto server = shared_server();
  if (!server) return;
  const auto first = server->host();
  first->started();
  const auto second = server->host();
  second->started();
  std::vector<std::unique_ptr<Claim>> claims;
  for (std::uint32_t i = 0; i < kPartitions; ++i) {
    auto claim = (**first).ledger().claim({i});
    REQUIRE(claim.ok());
    claims.push_back(*std::move(claim));
  }
  MysqlSession admin(server->address);
  const LockNames locks(server->database.name(), "test");
  admin.run("KILL CONNECTION " + admin.run("SELECT IS_USED_LOCK('" + locks.partition({0}) + "')"));
  for (std::uint32_t i = 0; i < kPartitions; ++i) {
    Result<std::unique_ptr<Claim>> claim = Status(StatusCode::held, "not yet");
    REQUIRE(eventually([&] {
      claim = (**second).ledger().claim({i});
      return claim.ok();
    }));
    REQUIRE(eventually([&] { return !claims[i]->held(); }));
    // Destroying what was lost leaves the new holder's alone.
    claims[i].reset();
    CHECK((*claim)->held());
    CHECK((**first).ledger().claim({i}).status().code() != StatusCode::ok);
  }
  // The first host's keeper is back.
  REQUIRE(eventually([&] { return (**first).health().ok; }));
  REQUIRE((**first).ledger().claim({1}).ok());
}

TEST_CASE("A fence ends the open transaction of another host, and none that is over") {
  const auto server = shared_server();
  if (!server) return;
  const auto owner = server->host();
  owner->started();
  const auto other = server->host();
  other->started();
  auto lane = owner->lane();
  const Token done = commit_one(*lane, append_to("order-1")).token;
  const Token open = stage_one(*lane, append_to("order-1")).token;
  REQUIRE((**other).fence(done).ok());
  CHECK(other->resolve(open) == Verdict::in_progress);
  REQUIRE((**other).fence(open).ok());
  CHECK(other->resolve(open) == Verdict::aborted);
  CHECK(lane->commit().outcome != CommitOutcome::committed);
  CHECK(owner->resolve(open) == Verdict::aborted);
  commit_one(*lane, append_to("order-1"));
}

TEST_CASE("Transactions that wait for each other are contended and succeed when staged again") {
  const auto server = shared_server();
  if (!server) return;
  const auto host = server->host({{"lock_timeout", "1s"}});
  host->started();
  auto first = host->lane(0);
  auto second = host->lane(1);
  stage_one(*first, append_to("order-1"));
  const Append same = append_to("order-1");
  const auto blocked = second->stage(std::span<const Append>(&same, 1));
  CHECK(blocked.status().code() == StatusCode::contended);
  REQUIRE(first->commit().outcome == CommitOutcome::committed);
  commit_one(*second, same);
  CHECK(host->head("order-1") == Version{2});
}

TEST_CASE("Nobody writes a stream that an open append only looks at") {
  const auto server = shared_server();
  if (!server) return;
  const auto host = server->host({{"lock_timeout", "1s"}});
  host->started();
  auto first = host->lane(0);
  auto second = host->lane(1);
  commit_one(*first, append_to("looked-at"));
  Append looks = append_to("written");
  looks.preconditions.push_back(
      {StreamName::unchecked("looked-at"), ExpectedVersion::exact(Version{1})});
  stage_one(*first, looks);
  const Append writes = append_to("looked-at");
  CHECK(second->stage(std::span<const Append>(&writes, 1)).status().code() ==
        StatusCode::contended);
  REQUIRE(first->commit().outcome == CommitOutcome::committed);
  CHECK(host->head("looked-at") == Version{1});
  commit_one(*second, writes);
  CHECK(host->head("looked-at") == Version{2});
}

}  // namespace vouch::mysql::test
