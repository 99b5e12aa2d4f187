// Erasures and what stands in their way on a server: locks of others, a connection that breaks.
#include <catch2/catch.hpp>

#include "postgres_fixture.h"
#include "vouch/erasure_store.h"

namespace vouch::postgres::test {
namespace {

ErasureStore& erasures_of(Host& host) {
  void* const found = host->query(ErasureStore::kInterface);
  REQUIRE(found != nullptr);
  return *static_cast<ErasureStore*>(found);
}

Erasure whole(const std::string& stream) {
  return {StreamName::unchecked(stream), {1}, {1'000'000}, {7}, "gone", R"({"erased":"now"})"};
}

std::string erased_rows(const SharedServer& server) {
  return PostgresSession(server.address)
      .run("SELECT count(*)::text FROM \"" + server.schema.name() +
           "\".events WHERE data = 'null'");
}

}  // namespace

TEST_CASE("An erasure that meets another's lock says so and changes nothing") {
  const auto server = shared_server();
  if (!server) return;
  const auto host = server->host({{"lock_timeout", "100ms"}});
  host->started();
  const auto lane = host->lane();
  commit_one(*lane, append_to("order-1", 1'500));
  const std::string table = "\"" + server->schema.name() + "\".events";
  PostgresSession other(server->address);
  // Not the row that erasures lock first, so that half of the work is done and taken back.
  other.run("BEGIN; SELECT id FROM " + table + " WHERE version = 1200 FOR UPDATE");
  const auto refused = erasures_of(*host).erase(whole("order-1"));
  CHECK(refused.status().code() == StatusCode::contended);
  CHECK(erased_rows(*server) == "0");
  // Neither it nor the lock holds up who appends.
  commit_one(*lane, append_to("order-1", 1, ExpectedVersion::exact({1'500})));
  other.run("ROLLBACK");
  const auto done = erasures_of(*host).erase(whole("order-1"));
  INFO(done.status().to_string());
  REQUIRE(done.ok());
  CHECK(done->events == 1'501);
  CHECK(erased_rows(*server) == "1501");
}

TEST_CASE("An erasure does not hold up who appends to its stream") {
  const auto server = shared_server();
  if (!server) return;
  const auto host = server->host();
  host->started();
  const auto lane = host->lane();
  commit_one(*lane, append_to("order-1", 3));
  // An append is under way, and stays open.
  const StagedGroup open = stage_one(*lane, append_to("order-1", 2));
  const auto done = erasures_of(*host).erase(whole("order-1"));
  INFO(done.status().to_string());
  REQUIRE(done.ok());
  CHECK(done->events == 3);
  CHECK(lane->commit().outcome == CommitOutcome::committed);
  CHECK(host->resolve(open.token) == Verdict::committed);
  CHECK(erased_rows(*server) == "3");
  CHECK(host->head("order-1") == Version{5});
}

TEST_CASE("An erasure whose connection breaks is done as a whole or not at all") {
  const auto server = shared_server();
  if (!server) return;
  server->host()->started();
  Detour detour(server->address);
  Host host(detour.address, server->schema.name(), {});
  host.started();
  {
    const auto lane = host.lane();
    commit_one(*lane, append_to("order-1", 2'500));
  }
  // What was idle is gone: that costs nothing.
  detour.proxy.cut();
  detour.proxy.cut_at("record_erasure", TcpProxy::Moment::before_it_arrives);
  CHECK(erasures_of(host).erase(whole("order-1")).status().code() == StatusCode::unavailable);
  CHECK(detour.proxy.cuts() == 1);
  CHECK(eventually([&] { return erased_rows(*server) == "0"; }));
  detour.proxy.cut_at("COMMIT", TcpProxy::Moment::before_its_answer);
  CHECK(erasures_of(host).erase(whole("order-1")).status().code() == StatusCode::unavailable);
  CHECK(detour.proxy.cuts() == 2);
  CHECK(eventually([&] { return erased_rows(*server) == "2500"; }));
  const auto again = erasures_of(host).erase(whole("order-1"));
  INFO(again.status().to_string());
  REQUIRE(again.ok());
  CHECK(again->events == 0);
  const auto records = erasures_of(host).recorded(StreamName::unchecked("order-1"));
  REQUIRE(records.ok());
  CHECK(records->size() == 1);
}

}  // namespace vouch::postgres::test
