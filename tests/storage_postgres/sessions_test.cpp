// Sessions that die: lanes and claims move, transactions end, and nobody else is hurt.
#include <catch2/catch.hpp>

#include "native_token.h"
#include "postgres_fixture.h"

namespace vouch::postgres::test {
namespace {

/// Ends the session that owns the transaction, as an administrator would.
void terminate(PostgresSession& admin, const Token& token) {
  const NativeToken native = NativeToken::parse(token.native).value();
  admin.run("SELECT pg_terminate_backend(" + std::to_string(native.backend) + ")");
}

bool lives(PostgresSession& admin, const Token& token) {
  const NativeToken native = NativeToken::parse(token.native).value();
  return admin.run("SELECT count(*) FROM pg_stat_activity WHERE pid = " +
                   std::to_string(native.backend)) == "1";
}

}  // namespace

TEST_CASE("A lane whose session was ended goes on with a new one and a new incarnation") {
  const auto server = shared_server();
  if (!server) return;
  const auto host = server->host();
  host->started();
  PostgresSession admin(server->address);
  auto lane = host->lane();
  const Token open = stage_one(*lane, append_to("order-1")).token;
  terminate(admin, open);
  CHECK(lane->commit().outcome != CommitOutcome::committed);
  REQUIRE(eventually([&] { return host->resolve(open) != Verdict::in_progress; }));
  CHECK(host->resolve(open) == Verdict::aborted);

  // Once more between two transactions: the next one notices the loss and goes on at once.
  const Token before = commit_one(*lane, append_to("order-1")).token;
  terminate(admin, before);
  REQUIRE(eventually([&] { return !lives(admin, before); }));
  const Token after = commit_one(*lane, append_to("order-1")).token;
  CHECK(after.batch.value >> 32U > before.batch.value >> 32U);
  CHECK(host->head("order-1") == Version{2});
}

TEST_CASE("A connection that breaks while a group that lost a race is rolled back") {
  const auto server = shared_server();
  if (!server) return;
  Detour way(server->address);
  Host host(way.address, server->schema.name());
  host.started();
  auto lane = host.lane();
  static_cast<void>(commit_one(*lane, append_to("order-1", 2)));
  // What the caller believes of the stream is old: the unique key refuses the group, which is
  // rolled back and staged again with care.
  Append stale = append_to("order-1");
  stale.writes[0].known_head = Version{1};
  way.proxy.cut_at("rollback", TcpProxy::Moment::before_it_arrives);
  const auto staged = lane->stage(std::span<const Append>(&stale, 1));
  INFO(staged.status().to_string());
  CHECK(way.proxy.cuts() == 1);
  REQUIRE(staged.ok());
  lane->rollback();
  static_cast<void>(commit_one(*lane, append_to("order-1")));
  CHECK(host.head("order-1") == Version{3});
}

TEST_CASE("The lane of a killed session is free, and its transaction is over by then") {
  const auto server = shared_server();
  if (!server) return;
  Detour way(server->address);
  Host first(way.address, server->schema.name());
  first.started();
  const auto second = server->host();
  second->started();
  auto lane = first.lane();
  const Token open = stage_one(*lane, append_to("order-1", 500)).token;
  CHECK((*second)->lane({0}, std::chrono::milliseconds(100)).status().code() == StatusCode::held);
  way.proxy.refuse(true);
  way.proxy.cut();
  auto taken = (*second)->lane({0}, std::chrono::seconds(20));
  REQUIRE(taken.ok());
  CHECK(second->resolve(open) == Verdict::aborted);
  const Token next = commit_one(**taken, append_to("order-1")).token;
  CHECK(next.batch > open.batch);
  // The first host finds its lane taken, in words.
  way.proxy.refuse(false);
  const Append append = append_to("order-1");
  static_cast<void>(lane->commit());
  Status refused;
  REQUIRE(eventually([&] {
    refused = lane->stage(std::span<const Append>(&append, 1)).status();
    return refused.code() != StatusCode::unavailable;
  }));
  CHECK(refused.code() == StatusCode::held);
}

TEST_CASE("A host that stands still loses its transaction and its partitions to the database") {
  const auto server = shared_server();
  if (!server) return;
  Detour way(server->address);
  Host still(way.address, server->schema.name(),
             {{"idle_transaction_timeout", "1s"}, {"lost_host_timeout", "1s"}});
  still.started();
  const auto other = server->host();
  other->started();
  auto lane = still.lane();
  auto claim = still->ledger().claim({2});
  REQUIRE(claim.ok());
  const Token open = stage_one(*lane, append_to("order-1")).token;
  CHECK(other->resolve(open) == Verdict::in_progress);
  CHECK((*other)->ledger().claim({2}).status().code() == StatusCode::held);
  way.proxy.silence(true);  // nothing is closed: the server hears and sees nothing
  REQUIRE(eventually([&] { return other->resolve(open) != Verdict::in_progress; }));
  CHECK(other->resolve(open) == Verdict::aborted);
  auto moved = (*other)->ledger().claim({2});
  REQUIRE(eventually([&] {
    if (!moved.ok()) moved = (*other)->ledger().claim({2});
    return moved.ok();
  }));
  way.proxy.silence(false);
  // Awake again, it learns of both.
  CHECK(lane->commit().outcome != CommitOutcome::committed);
  CHECK(eventually([&] { return !(*claim)->held(); }));
  CHECK((*moved)->held());
  CHECK(other->head("order-1") == Version{0});
}

TEST_CASE("Health is told within a second, also when nothing answers") {
  const auto server = shared_server();
  if (!server) return;
  Detour way(server->address);
  Host host(way.address, server->schema.name());
  CHECK_FALSE(host->health().ok);
  host.started();
  CHECK(host->health().ok);
  way.proxy.silence(true);
  for (int i = 0; i < 3; ++i) {
    const auto begun = std::chrono::steady_clock::now();
    const Health health = host->health();
    INFO(health.detail);
    CHECK_FALSE(health.ok);
    CHECK(health.detail.find("no answer for") != std::string::npos);
    CHECK(health.detail.find(std::to_string(way.proxy.port())) != std::string::npos);
    CHECK(std::chrono::steady_clock::now() - begun < std::chrono::seconds(2));
  }
  way.proxy.silence(false);
  CHECK(eventually([&] { return host->health().ok; }));
  way.proxy.refuse(true);
  way.proxy.cut();
  CHECK_FALSE(host->health().ok);
  way.proxy.refuse(false);
  CHECK(eventually([&] { return host->health().ok; }));
  host->close();
  CHECK_FALSE(host->health().ok);
}

TEST_CASE("A claim moves when its session is ended, and its holder knows") {
  const auto server = shared_server();
  if (!server) return;
  const auto first = server->host({{"lost_host_timeout", "1s"}});
  first->started();
  const auto second = server->host();
  second->started();
  std::vector<std::unique_ptr<Claim>> claims;
  for (std::uint32_t i = 0; i < kPartitions; ++i) {
    auto claim = (*first)->ledger().claim({i});
    REQUIRE(claim.ok());
    claims.push_back(*std::move(claim));
  }
  PostgresSession admin(server->address);
  const std::string holders =
      "FROM pg_locks WHERE locktype = 'advisory' AND granted AND classid = "
      "(SELECT oid FROM pg_namespace WHERE nspname = '" +
      server->schema.name() +
      "') AND database = (SELECT oid FROM pg_database WHERE datname = "
      "current_database())";
  REQUIRE(admin.run("SELECT count(DISTINCT pid) " + holders) == "1");
  admin.run("SELECT pg_terminate_backend(pid) FROM (SELECT DISTINCT pid " + holders + ") AS p");
  for (std::uint32_t i = 0; i < kPartitions; ++i) {
    auto claim = (*second)->ledger().claim({i});
    REQUIRE(eventually([&] {
      if (!claim.ok()) claim = (*second)->ledger().claim({i});
      return claim.ok();
    }));
    CHECK(eventually([&] { return !claims[i]->held(); }));
    CHECK((*claim)->held());
  }
  claims.clear();  // giving back what is lost harms nobody
  // A new life of the first host's session takes what is free now.
  CHECK(eventually([&] { return (*first)->ledger().claim({0}).ok(); }));
}

TEST_CASE("A fence ends the transaction it names, and never a session that got its process id") {
  const auto server = shared_server();
  if (!server) return;
  const auto host = server->host();
  host->started();
  PostgresSession admin(server->address);
  auto lane = host->lane();
  const Token open = stage_one(*lane, append_to("order-1")).token;
  Token stranger = open;
  NativeToken native = NativeToken::parse(open.native).value();
  native.started -= 1'000'000;  // an earlier session with the same process id
  stranger.native = native.text();
  REQUIRE((*host)->fence(stranger).ok());
  CHECK(lives(admin, open));
  CHECK(host->resolve(open) == Verdict::in_progress);
  Token garbage = open;
  for (const char* text : {"", "1", "1.2", "x.y.z", "1.2.3.4", "99999999999999999999.1.1"}) {
    garbage.native = text;
    CHECK((*host)->fence(garbage).ok());
  }
  CHECK(host->resolve(open) == Verdict::in_progress);
  const auto other = server->host();
  other->started();
  REQUIRE((*other)->fence(open).ok());
  CHECK(other->resolve(open) == Verdict::aborted);
}

TEST_CASE(
    "A head that is known from before the session leaves no gap when the server lost commits") {
  const auto server = shared_server();
  if (!server) return;
  const auto host = server->host();
  host->started();
  auto lane = host->lane();
  // As after a replica took over that never had versions 1 to 9.
  Append append = append_to("order-1");
  append.writes[0].known_head = Version{9};
  const auto stale = (*lane).stage(std::span<const Append>(&append, 1));
  REQUIRE(stale.ok());
  CHECK(stale->results[0].outcome == StageOutcome::lost_race);
  lane->rollback();
  append.writes[0].known_head.reset();
  commit_one(*lane, append);
  CHECK(host->head("order-1") == Version{1});
}

TEST_CASE("Two stores of one database share no lane and no partition") {
  const auto server = shared_server();
  if (!server) return;
  const ScratchSchema second_schema(server->address);
  const auto first = server->host();
  first->started();
  Host second(server->address, second_schema.name());
  second.started();
  auto lane = first->lane();
  auto claim = (*first)->ledger().claim({1});
  REQUIRE(claim.ok());
  auto other_lane = second.lane();
  CHECK(second->ledger().claim({1}).ok());
  stage_one(*lane, append_to("order-1"));
  commit_one(*other_lane, append_to("order-1"));
  CHECK(second.head("order-1") == Version{1});
  CHECK(first->head("order-1") == Version{0});
}

}  // namespace vouch::postgres::test
