// What became of a transaction, when the connection, the session or the server went away in
// between.
#include <catch2/catch.hpp>

#include "mysql_fixture.h"

namespace vouch::mysql::test {

TEST_CASE("After a crash of the server what was open is aborted and what was answered is there") {
  if (no_programs()) return;
  PrivateMysql server;  // without a binary log: the harder case
  const ScratchDatabase database(server.address());
  Host host(server.address(), database.name());
  host.started();
  auto lane = host.lane();
  for (int round = 0; round < 3; ++round) {
    CAPTURE(round);
    const Version before = host.head("order-1");
    const Token done = commit_one(*lane, append_to("order-1", 2)).token;
    const Token open = stage_one(*lane, append_to("order-1")).token;
    CHECK(host.resolve(open) == Verdict::in_progress);
    CHECK(host.resolve(done) == Verdict::committed);
    server.kill();
    const std::vector<Token> both{open, done};
    CHECK((*host).resolve(both).status().code() == StatusCode::unavailable);
    REQUIRE(eventually([&] { return !(*host).health().ok; }));
    server.start();
    REQUIRE(eventually([&] { return (*host).health().ok; }));
    const auto verdicts = (*host).resolve(both);
    REQUIRE(verdicts.ok());
    CHECK(*verdicts == std::vector<Verdict>{Verdict::aborted, Verdict::committed});
    CHECK(lane->commit().outcome != CommitOutcome::committed);
    CHECK(host.head("order-1") == Version{before.value + 2});
    // The lane goes on by itself, with numbers that were never used.
    const Append next = append_to("order-1");
    const auto group = lane->stage(std::span<const Append>(&next, 1));
    REQUIRE(group.ok());
    CHECK(group->token.batch > open.batch);
    lane->rollback();
    CHECK(host.resolve(open) == Verdict::aborted);
  }
}

TEST_CASE("Numbers and places rise across a crash that took rolled back ones away") {
  if (no_programs()) return;
  PrivateMysql server({"--log-bin=bin", "--sync-binlog=1"});
  const ScratchDatabase database(server.address());
  Host host(server.address(), database.name());
  host.started();
  auto lane = host.lane();
  const StagedGroup done = commit_one(*lane, append_to("order-1"));
  for (int i = 0; i < 5; ++i) {
    stage_one(*lane, append_to("order-1"));
    lane->rollback();
  }
  const StagedGroup last = stage_one(*lane, append_to("order-1"));
  lane->rollback();
  const Result<Cursor> end = (*host).reader().feed_end();
  REQUIRE(end.ok());
  server.kill();
  server.start();
  REQUIRE(eventually([&] { return (*host).health().ok; }));
  const StagedGroup next = commit_one(*lane, append_to("order-1"));
  CHECK(next.deliveries[0].id.number > done.deliveries[0].id.number);
  const Result<Cursor> later = (*host).reader().feed_end();
  REQUIRE(later.ok());
  CHECK((*host).reader().reached(*later, *end).value());
  CHECK_FALSE((*host).reader().reached(*end, *later).value());
  CHECK(host.resolve(last.token) == Verdict::aborted);
}

TEST_CASE("A commit whose answer is lost is unknown, and the database says committed") {
  const auto server = shared_server();
  if (!server) return;
  Detour way(server->address);
  Host host(way.address, server->database.name());
  host.started();
  auto lane = host.lane();
  commit_one(*lane, append_to("order-1"));
  const Append append = append_to("order-1", 3);
  const Token token = stage_one(*lane, append).token;
  way.proxy.cut_at("COMMIT", TcpProxy::Moment::before_its_answer);
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
  Host host(way.address, server->database.name());
  host.started();
  auto lane = host.lane();
  commit_one(*lane, append_to("order-1"));
  const Token token = stage_one(*lane, append_to("order-1")).token;
  way.proxy.cut_at("COMMIT", TcpProxy::Moment::before_it_arrives);
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
  Host host(way.address, server->database.name());
  host.started();
  auto lane = host.lane();
  std::uint64_t version = 0;
  // "COMMIT" is met twice: when the lane is listed, and, armed later, when the append commits.
  const std::vector<std::string> steps{"GET_LOCK",
                                       "vouch_lanes",
                                       "COMMIT",
                                       "SELECT (SELECT version",
                                       "INSERT INTO vouch_deliveries",
                                       "INSERT INTO vouch_events",
                                       "payload-to-cut",
                                       "COMMIT of the append"};
  const std::vector<TcpProxy::Moment> moments{TcpProxy::Moment::before_it_arrives,
                                              TcpProxy::Moment::before_its_answer};
  for (const std::string& step : steps) {
    for (const TcpProxy::Moment moment : moments) {
      CAPTURE(step, static_cast<int>(moment));
      const bool at_commit = step == "COMMIT of the append";
      const int cuts = way.proxy.cuts();
      Append append = append_to("order-1", 2);
      append.writes[0].events[1].data = "payload-to-cut";
      way.proxy.cut();  // so that the lane takes every step anew
      REQUIRE(eventually([&] { return (*host).health().ok; }));
      if (!at_commit) way.proxy.cut_at(step, moment);
      Token token;
      bool told_committed = false;
      const auto group = lane->stage(std::span<const Append>(&append, 1));
      if (group.ok()) {
        token = group->token;
        if (at_commit) way.proxy.cut_at("COMMIT", moment);
        told_committed = lane->commit().outcome == CommitOutcome::committed;
      } else {
        CHECK(group.status().code() == StatusCode::unavailable);
      }
      REQUIRE(eventually([&] { return way.proxy.cuts() == cuts + 1; }));
      bool committed = told_committed;
      if (group.ok() && !told_committed) {
        REQUIRE(eventually([&] {
          const auto verdict = (*host).resolve(std::span<const Token>(&token, 1));
          return verdict.ok() && verdict->at(0) != Verdict::in_progress;
        }));
        committed = host.resolve(token) == Verdict::committed;
      }
      if (committed) version += 2;
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

}  // namespace vouch::mysql::test
