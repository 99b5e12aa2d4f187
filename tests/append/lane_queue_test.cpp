#include "lane_queue.h"

#include <catch2/catch.hpp>

#include "host_under_test.h"

namespace vouch::append {
namespace {

PendingAppend pending(std::size_t events) {
  PendingAppend made;
  made.append = tests::make_append("account-1", events);
  measure(made);
  return made;
}

TEST_CASE("a group takes what fits under the limits, in order, and at least one append") {
  std::atomic<std::int64_t> waiting{0};
  testkit::TestServices services;
  Gauge& gauge = services.metrics().gauge("waiting", "", {});
  LaneQueue queue(waiting, gauge);
  for (const std::size_t events : {3U, 4U, 5U, 50U, 1U}) {
    PendingAppend one = pending(events);
    REQUIRE(queue.push(one));
  }
  CHECK(waiting == 63);
  CHECK(services.metric("waiting") == 63);
  const auto sizes = [&] {
    std::vector<std::uint32_t> events;
    for (const Ticket& ticket : queue.take(10, 1'000'000).tickets) events.push_back(ticket.events);
    return events;
  };
  CHECK(sizes() == std::vector<std::uint32_t>{3, 4});
  CHECK(sizes() == std::vector<std::uint32_t>{5});
  CHECK(sizes() == std::vector<std::uint32_t>{50});
  CHECK(sizes() == std::vector<std::uint32_t>{1});
  CHECK(waiting == 0);
  CHECK(services.metric("waiting") == 0);
}

TEST_CASE("a group is bounded by bytes too") {
  std::atomic<std::int64_t> waiting{0};
  testkit::TestServices services;
  Gauge& gauge = services.metrics().gauge("waiting", "", {});
  LaneQueue queue(waiting, gauge);
  for (int i = 0; i < 3; ++i) {
    PendingAppend one = pending(1);
    REQUIRE(queue.push(one));
  }
  const std::uint64_t bytes = pending(1).ticket.bytes;
  CHECK(queue.take(100, 2 * bytes).size() == 2);
  CHECK(queue.take(100, 1).size() == 1);
}

TEST_CASE("appends put back come first, and a closed queue gives what it has and takes no more") {
  std::atomic<std::int64_t> waiting{0};
  testkit::TestServices services;
  Gauge& gauge = services.metrics().gauge("waiting", "", {});
  LaneQueue queue(waiting, gauge);
  PendingAppend later = pending(7);
  REQUIRE(queue.push(later));
  std::vector<PendingAppend> back;
  back.push_back(pending(2));
  back.push_back(pending(3));
  queue.put_back(std::move(back));
  queue.close();
  PendingAppend refused = pending(1);
  CHECK_FALSE(queue.push(refused));
  CHECK(refused.append.writes.size() == 1);
  const Group group = queue.take(5, 1'000'000);
  REQUIRE(group.size() == 2);
  CHECK(group.tickets[0].events == 2);
  CHECK(queue.take_all().size() == 1);
  CHECK(queue.take(5, 1'000'000).empty());
  CHECK(waiting == 0);
}

}  // namespace
}  // namespace vouch::append
