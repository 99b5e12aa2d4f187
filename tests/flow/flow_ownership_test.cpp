// Several hosts over one store: one owner for each partition, and order and completeness when it
// dies.
#include <algorithm>
#include <catch2/catch.hpp>
#include <functional>
#include <map>
#include <set>
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

bool eventually(const std::function<bool()>& condition, std::chrono::milliseconds limit) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

/// Hosts that look for each other less often than a busy machine lets them be late.
HostSettings unhurried() {
  HostSettings settings;
  settings.host_interval = std::chrono::milliseconds(100);
  return settings;
}

TEST_CASE("hosts share the partitions evenly, and those of one that dies or leaves move") {
  World world;
  world.partitions = 8;
  constexpr std::chrono::seconds kSoon{15};
  auto first = std::make_unique<Host>(world, unhurried());
  CHECK(owned(*first) == 8);
  auto second = std::make_unique<Host>(world, unhurried());
  CHECK(eventually([&] { return owned(*first) == 4 && owned(*second) == 4; }, kSoon));
  Host third(world, unhurried());
  const auto even = [&] {
    const std::vector<std::size_t> counts{owned(*first), owned(*second), owned(third)};
    return counts[0] + counts[1] + counts[2] == 8 && std::ranges::max(counts) == 3 &&
           std::ranges::min(counts) == 2;
  };
  CHECK(eventually(even, kSoon));
  for (Host* host : {first.get(), second.get(), &third}) {
    const auto all = [&] {
      std::set<Partition> partitions;
      for (const saga::HostReport& one : host->saga().host_reports()) {
        partitions.insert(one.owned.begin(), one.owned.end());
      }
      return partitions.size() == 8;
    };
    CHECK(eventually(all, kSoon));
  }
  first->kill();
  CHECK(eventually([&] { return owned(*second) == 4 && owned(third) == 4; }, kSoon));
  second->stop();
  CHECK(eventually([&] { return owned(third) == 8; }, kSoon));
}

TEST_CASE("a host that starts right after the last one died does not wait for it") {
  World world;
  HostSettings slow;
  slow.host_interval = std::chrono::seconds(60);
  auto first = std::make_unique<Host>(world, slow);
  CHECK(owned(*first) == world.partitions);
  first->kill();
  Host second(world, slow);
  CHECK(owned(second) == world.partitions);
}

TEST_CASE("without the list of hosts partitions are still claimed, and the problem is said once") {
  World world;
  auto first = std::make_unique<Host>(world);
  Host second(world);
  first->kill();
  world.faults.decide([](testkit::Step step) {
    return step == testkit::Step::claim ? testkit::Fault::fail : testkit::Fault::none;
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  world.faults.clear();
  CHECK(eventually([&] { return owned(second) == world.partitions; }, std::chrono::seconds(5)));
}

TEST_CASE("hosts come and go under load: nothing is lost, order is kept") {
  World world;
  world.partitions = 6;
  Host steady(world, unhurried());
  std::atomic<bool> stop{false};
  std::thread writer([&] {
    for (int i = 0; !stop.load(); ++i) {
      steady.appends().append(make_append("account-" + std::to_string(i % 8), 2));
    }
  });
  for (int i = 0; i < 4; ++i) {
    Host guest(world, unhurried());
    CHECK(eventually([&] { return owned(guest) == 3; }, std::chrono::seconds(15)));
    if (i % 2 == 0) guest.kill();
  }
  stop = true;
  writer.join();
  CHECK(eventually([&] { return world.database.undelivered().empty(); }, std::chrono::seconds(10)));
  std::map<std::string, std::uint64_t> stored;
  for (const Event& event : world.database.events()) stored[event.stream.str()]++;
  std::map<std::string, std::uint64_t> seen;
  for (const Published& one : published(world.exchange)) {
    if (one.version <= seen[one.stream]) continue;
    CHECK(one.version == ++seen[one.stream]);
  }
  CHECK(seen == stored);
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
