// What became of a transaction, when the connection, the session or the server went away in
// between.
#include <catch2/catch.hpp>

#include "native_token.h"
#include "postgres_fixture.h"

namespace vouch::postgres::test {
namespace {

std::int64_t transaction_of(const Token& token) {
  return NativeToken::parse(token.native).value().transaction;
}

}  // namespace

TEST_CASE("A token whose transaction id was given out again after a crash is aborted") {
  if (no_programs()) return;
  PrivatePostgres server(
      PrivatePostgres::Configuration{{"autovacuum", "off"}});  // which would use ids as well
  Host host(server.address(), "store");
  host.started();
  auto lane = host.lane();
  const Token done = commit_one(*lane, append_to("order-1")).token;
  const Token lost = stage_one(*lane, append_to("order-1")).token;
  CHECK(host.resolve(lost) == Verdict::in_progress);
  server.kill();
  server.start();
  REQUIRE(eventually([&] { return host->health().ok; }));

  // The server forgot that it had given this id out: it lies in its future now.
  CHECK(host.resolve(lost) == Verdict::aborted);
  const std::vector<Token> both{lost, done};
  const auto verdicts = host->resolve(both);
  REQUIRE(verdicts.ok());
  CHECK(*verdicts == std::vector<Verdict>{Verdict::aborted, Verdict::committed});

  // Until somebody else commits under it: then the status alone would say "committed".
  PostgresSession other(server.address());
  other.run("CREATE TABLE other (n integer)");
  const std::int64_t id = transaction_of(lost);
  for (std::int64_t given = 0; given < id;) {
    given = std::stoll(other.run("INSERT INTO other VALUES (1) RETURNING pg_current_xact_id()"));
  }
  REQUIRE(other.run("SELECT pg_xact_status('" + std::to_string(id) + "'::xid8)") == "committed");
  CHECK(host.resolve(lost) == Verdict::aborted);
  CHECK(host.resolve(done) == Verdict::committed);
  CHECK(host.head("order-1") == Version{1});

  // The lane goes on by itself, with numbers that were never used.
  CHECK(lane->commit().outcome != CommitOutcome::committed);
  Result<StagedGroup> group = Status(StatusCode::unavailable, "not yet");
  const Append next = append_to("order-1");
  REQUIRE(eventually([&] {
    group = lane->stage(std::span<const Append>(&next, 1));
    return group.ok();
  }));
  CHECK(group->token.batch > lost.batch);
  CHECK(lane->commit().outcome == CommitOutcome::committed);
  CHECK(host.resolve(lost) == Verdict::aborted);
}

TEST_CASE("An id that the server never gave out is aborted and spoils no other answer") {
  const auto server = shared_server();
  if (!server) return;
  const auto host = server->host();
  host->started();
  auto lane = host->lane();
  const Token done = commit_one(*lane, append_to("order-1")).token;
  Token rolled_back = stage_one(*lane, append_to("order-1")).token;
  lane->rollback();
  const Token open = stage_one(*lane, append_to("order-1")).token;
  // As after a crash that took the server back by a million ids.
  NativeToken native = NativeToken::parse(rolled_back.native).value();
  native.transaction += 1'000'000;
  native.started -= 1;
  rolled_back.native = native.text();
  const std::vector<Token> all{rolled_back, done, open};
  const auto verdicts = (*host)->resolve(all);
  REQUIRE(verdicts.ok());
  CHECK(*verdicts ==
        std::vector<Verdict>{Verdict::aborted, Verdict::committed, Verdict::in_progress});
}

TEST_CASE("A commit whose answer is lost is unknown, and the database says committed") {
  const auto server = shared_server();
  if (!server) return;
  Detour way(server->address);
  Host host(way.address, server->schema.name());
  host.started();
  auto lane = host.lane();
  commit_one(*lane, append_to("order-1"));
  const Append append = append_to("order-1", 3);
  const Token token = stage_one(*lane, append).token;
  way.proxy.cut_at("commit", TcpProxy::Moment::before_its_answer);
  const CommitResult result = lane->commit();
  CHECK(result.outcome == CommitOutcome::unknown);
  CHECK_FALSE(result.reason.ok());
  REQUIRE(way.proxy.cuts() == 1);
  CHECK(host.resolve(token) == Verdict::committed);

  // The client repeats the append, and gets the first answer.
  const auto again = lane->stage(std::span<const Append>(&append, 1));
  REQUIRE(again.ok());
  CHECK(again->results[0].outcome == StageOutcome::duplicate);
  CHECK(again->results[0].token == token);
  CHECK(again->token.batch.value >> 32U > token.batch.value >> 32U);
  lane->rollback();
  CHECK(host.head("order-1") == Version{4});
}

TEST_CASE("A commit that never arrives is unknown, and the database says aborted") {
  const auto server = shared_server();
  if (!server) return;
  Detour way(server->address);
  Host host(way.address, server->schema.name());
  host.started();
  auto lane = host.lane();
  commit_one(*lane, append_to("order-1"));
  const Token token = stage_one(*lane, append_to("order-1")).token;
  way.proxy.cut_at("commit", TcpProxy::Moment::before_it_arrives);
  CHECK(lane->commit().outcome == CommitOutcome::unknown);
  REQUIRE(way.proxy.cuts() == 1);
  REQUIRE(eventually([&] { return host.resolve(token) != Verdict::in_progress; }));
  CHECK(host.resolve(token) == Verdict::aborted);
  CHECK(host.head("order-1") == Version{1});
}

TEST_CASE("Wherever the connection breaks, an append is there once or not at all") {
  const auto server = shared_server();
  if (!server) return;
  Detour way(server->address);
  Host host(way.address, server->schema.name());
  host.started();
  auto lane = host.lane();
  std::uint64_t version = 0;
  const std::vector<std::string> steps{"begin", "heads", "insert_group", "transaction_id",
                                       "commit"};
  const std::vector<TcpProxy::Moment> moments{TcpProxy::Moment::before_it_arrives,
                                              TcpProxy::Moment::before_its_answer};
  for (int round = 0; round < 2; ++round) {
    for (const std::string& step : steps) {
      for (const TcpProxy::Moment moment : moments) {
        CAPTURE(round, step, static_cast<int>(moment));
        const int cuts = way.proxy.cuts();
        way.proxy.cut_at(step, moment);
        const Append append = append_to("order-1", 2);
        Token token;
        bool told_committed = false;
        const auto group = lane->stage(std::span<const Append>(&append, 1));
        if (group.ok()) {
          token = group->token;
          told_committed = lane->commit().outcome == CommitOutcome::committed;
        } else {
          CHECK(group.status().code() == StatusCode::unavailable);
        }
        REQUIRE(way.proxy.cuts() == cuts + 1);
        bool committed = told_committed;
        if (group.ok() && !told_committed) {
          REQUIRE(eventually([&] { return host.resolve(token) != Verdict::in_progress; }));
          committed = host.resolve(token) == Verdict::committed;
        }
        if (committed) version += 2;
        CHECK(host.head("order-1") == Version{version});
        // A retry of the same append settles it for good.
        Result<StagedGroup> again = Status(StatusCode::unavailable, "not yet");
        REQUIRE(eventually([&] {
          again = lane->stage(std::span<const Append>(&append, 1));
          return again.ok();
        }));
        CHECK(again->results[0].outcome ==
              (committed ? StageOutcome::duplicate : StageOutcome::staged));
        REQUIRE(lane->commit().outcome == CommitOutcome::committed);
        if (!committed) version += 2;
        CHECK(host.head("order-1") == Version{version});
      }
    }
  }
}

TEST_CASE("A mark that a crash of the server took back is not ready again while the host runs") {
  if (no_programs()) return;
  // The marks' commits are flushed by the background writer alone, and that is slow here.
  PrivatePostgres server(
      PrivatePostgres::Configuration{{"wal_writer_delay", "10s"}, {"bgwriter_delay", "10s"}});
  Host host(server.address(), "store");
  host.started();
  auto lane = host.lane();
  for (int i = 0; i < 5; ++i) commit_one(*lane, append_to("order-1"));
  const auto all = host.ready();
  REQUIRE(all.size() == 5);
  std::vector<DeliveryId> marked{all[0].id, all[1].id};
  REQUIRE(host->ledger().complete(marked).ok());
  server.kill();
  server.start();
  REQUIRE(eventually([&] { return host->health().ok; }));
  PostgresSession other(server.address());
  REQUIRE(other.run("SELECT count(*) FROM store.deliveries WHERE delivered_at IS NULL") == "5");
  const auto left = host.ready();
  REQUIRE(left.size() == 3);
  CHECK(left[0].id == all[2].id);
  const auto delivered = host->ledger().delivered(marked);
  REQUIRE(delivered.ok());
  CHECK(*delivered == std::vector<std::uint8_t>{1, 1});
  // Another host learns of them as well, once this one marks the next.
  const std::vector<DeliveryId> next{all[2].id};
  REQUIRE(host->ledger().complete(next).ok());
  CHECK(other.run("SELECT count(*) FROM store.deliveries WHERE delivered_at IS NULL") == "2");
}

}  // namespace vouch::postgres::test
