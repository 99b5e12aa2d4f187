// Several hosts over one store: one owner for each partition, and order and completeness when it
// dies.
#include <catch2/catch.hpp>
#include <map>
#include <thread>

#include "host_under_test.h"

namespace vouch::tests {
namespace {

using append::AppendCode;

std::size_t owned(Host& host) {
  const auto reports = host.saga().report();
  REQUIRE(reports.ok());
  std::size_t count = 0;
  for (const saga::PartitionReport& report : *reports) count += report.owned ? 1 : 0;
  return count;
}

TEST_CASE("a partition is owned by one host, and moves when that host dies") {
  World world;
  auto first = std::make_unique<Host>(world);
  Host second(world);
  CHECK(owned(*first) == world.partitions);
  CHECK(owned(second) == 0);
  first->kill();
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(2);
  while (owned(second) < world.partitions && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  CHECK(owned(second) == world.partitions);
}

TEST_CASE("two hosts write the same streams while the owner dies: nothing lost, order kept") {
  World world;
  auto owner = std::make_unique<Host>(world);
  Host other(world);
  std::atomic<bool> stop{false};
  std::atomic<int> committed{0};
  const auto write = [&](Host& host, int seed) {
    for (int i = 0; !stop.load(); ++i) {
      const auto answer =
          host.appends().append(make_append("account-" + std::to_string((i + seed) % 4), 2));
      if (answer.code == AppendCode::committed) committed += 2;
    }
  };
  std::thread one([&] { write(*owner, 0); });
  std::thread two([&] { write(other, 2); });
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  owner->kill();
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  stop = true;
  one.join();
  two.join();
  const std::vector<Event> events = world.database.events();
  CHECK(events.size() >= static_cast<std::size_t>(committed.load()));
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (!world.database.undelivered().empty() && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  CHECK(world.database.undelivered().empty());
  std::map<std::string, std::uint64_t> stored;
  for (const Event& event : events) CHECK(event.version.value == ++stored[event.stream.str()]);
  std::map<std::string, std::uint64_t> seen;
  for (const Published& published_one : published(world.exchange)) {
    if (published_one.version <= seen[published_one.stream]) continue;
    CHECK(published_one.version == ++seen[published_one.stream]);
  }
  CHECK(seen == stored);
}

TEST_CASE(
    "hosts that take turns on a stream lose the race for its next version, and still write it") {
  World world;
  HostSettings settings;
  settings.lanes = 1;
  Host one(world, settings);
  Host two(world, settings);
  for (std::uint64_t turn = 0; turn < 10; ++turn) {
    for (Host* host : {&one, &two}) {
      INFO("turn " << turn);
      const auto answer = host->appends().append(make_append("account-1"));
      REQUIRE(answer.code == AppendCode::committed);
    }
  }
  const std::vector<Event> events = world.database.events();
  REQUIRE(events.size() == 20);
  for (std::size_t i = 0; i < events.size(); ++i) CHECK(events[i].version.value == i + 1);
  // What one remembers of the stream is stale after each turn of the other: one race a turn.
  CHECK(one.services().metric("vouch_append_lost_races_total") == 9);
}

}  // namespace
}  // namespace vouch::tests
