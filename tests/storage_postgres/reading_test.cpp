// What reading costs the server: the plan of a statement is the server's choice, and a wrong one
// shows only when a store has grown.
#include <algorithm>
#include <catch2/catch.hpp>
#include <thread>

#include "postgres_fixture.h"

namespace vouch::postgres::test {
namespace {

class Count final : public FeedSink {
 public:
  bool event(const EventView&, std::string_view) override {
    ++events;
    return true;
  }
  std::uint64_t events = 0;
};

}  // namespace

TEST_CASE("A page of the feed costs by its length, not by what is left to read") {
  const auto server = shared_server();
  if (!server) return;
  PostgresSession admin(server->address);
  const std::string& schema = server->schema.name();
  const auto reader = [&] {
    auto host = server->host();
    host->started();
    return host;
  };
  const auto read_pages = [](Host& host, int pages) {
    Count count;
    FeedQuery query;
    query.limit = 10;
    for (int page = 0; page < pages; ++page) {
      const auto read = host->reader().feed(query, count);
      REQUIRE(read.ok());
      query.after = read->next;
    }
    return count.events;
  };
  // A plan is made when a session needs it first, for the table as it is then; and the server has
  // no statistics until it has time for them.
  const auto writer = reader();
  admin.run("ALTER TABLE \"" + schema + "\".events SET (autovacuum_enabled = off)");
  auto lane = writer->lane();
  std::vector<std::unique_ptr<Host>> readers;
  int number = 0;
  const auto grow = [&](std::size_t events) {
    commit_one(*lane, append_to("order-" + std::to_string(++number), events));
  };
  for (const std::size_t events : {1U, 200U, 800U, 1'000U, 1'000U, 1'000U, 1'000U}) {
    grow(events);
    readers.push_back(reader());
    CHECK(read_pages(*readers.back(), 1) == std::min<std::size_t>(events, 10));
  }
  for (int i = 0; i < 30; ++i) grow(1'000);

  const auto fetched = [&] {
    return std::stoull(
        admin.run("SELECT pg_stat_clear_snapshot(); SELECT idx_tup_fetch FROM "
                  "pg_stat_user_tables WHERE relname = 'events' AND schemaname = '" +
                  schema + "'"));
  };
  // A session tells what it did when it ends, and a second later at the soonest.
  lane.reset();
  (*writer)->close();
  std::this_thread::sleep_for(std::chrono::milliseconds(1'500));
  const std::uint64_t before = fetched();
  for (const auto& host : readers) {
    CHECK(read_pages(*host, 5) == 50);
    (*host)->close();
  }
  CHECK(eventually([&] { return fetched() >= before + readers.size() * 50; }));
  CHECK(fetched() - before < readers.size() * 500);
}

}  // namespace vouch::postgres::test
