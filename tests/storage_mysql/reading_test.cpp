// What reading costs the server: the plan of a statement is the server's choice, and a wrong one
// shows only when a store has grown.
#include <catch2/catch.hpp>

#include "mysql_fixture.h"

namespace vouch::mysql::test {
namespace {

/// Rows that the server read for anybody, by any index or none.
std::uint64_t rows_read(const MysqlAddress& address) {
  std::uint64_t sum = 0;
  for (const std::string& value :
       MysqlSession(address).column("SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS "
                                    "WHERE VARIABLE_NAME LIKE 'Handler_read%'")) {
    sum += std::stoull(value);
  }
  return sum;
}

class Count final : public StreamSink {
 public:
  bool stream(std::string_view name, Version head) override {
    last = name;
    ++streams;
    events += head.value;
    return true;
  }
  std::string last;
  std::uint64_t streams = 0;
  std::uint64_t events = 0;
};

class CountEvents final : public FeedSink {
 public:
  bool event(const EventView&, std::string_view) override {
    ++events;
    return true;
  }
  std::uint64_t events = 0;
};

}  // namespace

TEST_CASE("A page of streams costs by its length, not by what the store holds") {
  if (no_programs()) return;
  const PrivateMysql server;
  const ScratchDatabase database(server.address());
  Host host(server.address(), database.name());
  host.started();
  auto lane = host.lane();
  // Long streams in front, so that a page that reads its way there is seen to do so.
  constexpr std::uint64_t kStreams = 300;
  constexpr std::uint64_t kEvents = 100;
  for (std::uint64_t i = 0; i < kStreams; ++i) {
    commit_one(*lane, append_to("order-" + std::to_string(1'000 + i), kEvents));
  }
  const auto page = [&](const std::string& after, std::uint32_t limit, Count& count) {
    const std::uint64_t before = rows_read(server.address());
    const Status status = host->reader().streams("", after, limit, count);
    INFO(status.to_string());
    REQUIRE(status.ok());
    return rows_read(server.address()) - before;
  };
  Count all;
  // The plugin's own threads and the question itself read some rows, too.
  CHECK(page("", 1'000, all) < kStreams * 10);
  CHECK(all.streams == kStreams);
  CHECK(all.events == kStreams * kEvents);
  Count few;
  CHECK(page("order-1250", 10, few) < 1'000);
  CHECK(few.streams == 10);
  CHECK(few.last == "order-1260");
}

TEST_CASE("Following the feed costs by what is new, not by what the store holds") {
  if (no_programs()) return;
  const PrivateMysql server;
  const ScratchDatabase database(server.address());
  Host host(server.address(), database.name());
  host.started();
  auto lane = host.lane();
  for (int i = 0; i < 100; ++i) commit_one(*lane, append_to("order-" + std::to_string(i), 100));
  CountEvents all;
  FeedQuery query;
  query.limit = 100'000;
  const auto first = host->reader().feed(query, all);
  REQUIRE(first.ok());
  REQUIRE(all.events == 10'000);
  query.after = first->next;
  const std::uint64_t before = rows_read(server.address());
  constexpr std::uint64_t kPolls = 20;
  for (std::uint64_t i = 0; i < kPolls; ++i) {
    CountEvents none;
    CHECK(host->reader().feed(query, none)->at_end);
    CHECK(host->reader().feed_end().ok());
    CHECK(none.events == 0);
  }
  CHECK(rows_read(server.address()) - before < kPolls * 100);
}

}  // namespace vouch::mysql::test
