#include "append/event_ids.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <set>
#include <thread>
#include <vector>

#include "vouch/testkit/test_services.h"

namespace vouch::append {
namespace {

TEST_CASE("ids rise within a second, over seconds, and when the clock goes back") {
  testkit::TestServices services;
  EventIds ids(services.clock());
  std::vector<EventId> drawn;
  for (const std::int64_t second : {1'700'000'000, 1'700'000'001, 1'700'000'000, 1'700'000'005}) {
    services.set_now(Timestamp{second * 1'000'000});
    for (int i = 0; i < 1'000; ++i) drawn.push_back(ids.next());
  }
  CHECK(std::is_sorted(drawn.begin(), drawn.end()));
  CHECK(std::set<EventId>(drawn.begin(), drawn.end()).size() == drawn.size());
  CHECK(drawn.front().unix_seconds() == 1'700'000'000);
  CHECK(drawn.back().unix_seconds() == 1'700'000'005);
}

TEST_CASE("ids of two hosts in the same second differ") {
  testkit::TestServices services;
  services.set_now(Timestamp{1'700'000'000'000'000});
  EventIds one(services.clock());
  EventIds two(services.clock());
  CHECK(one.next() != two.next());
}

TEST_CASE("ids drawn by several threads at once are all different") {
  testkit::TestServices services;
  EventIds ids(services.clock());
  std::vector<std::vector<EventId>> drawn(4);
  std::vector<std::thread> threads;
  for (auto& mine : drawn) {
    threads.emplace_back([&] {
      for (int i = 0; i < 5'000; ++i) mine.push_back(ids.next());
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::set<EventId> all;
  for (const auto& mine : drawn) {
    CHECK(std::is_sorted(mine.begin(), mine.end()));
    all.insert(mine.begin(), mine.end());
  }
  CHECK(all.size() == 20'000);
}

}  // namespace
}  // namespace vouch::append
