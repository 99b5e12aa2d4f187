#include "append_queue.h"

#include <array>
#include <atomic>
#include <catch2/catch.hpp>
#include <future>
#include <thread>

#include "host_under_test.h"

namespace vouch::append {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kNoByteLimit = 1'000'000;

PendingAppend pending(std::size_t events, std::uint32_t partition = 0) {
  PendingAppend made;
  made.append = tests::make_append("account-1", events);
  made.append.writes[0].partition = {partition};
  made.ticket.taken = std::chrono::steady_clock::now();
  measure(made);
  return made;
}

using Sizes = std::vector<std::uint32_t>;

Sizes sizes(const AppendQueue::Taken& taken) {
  Sizes events;
  for (const Ticket& ticket : taken.group.tickets) events.push_back(ticket.events);
  return events;
}

struct Fixture {
  explicit Fixture(GroupLimits limits = {10, kNoByteLimit}, std::chrono::milliseconds patience = 1h)
      : queue(4, limits, patience, services.metrics().gauge("waiting", "", {})) {}
  void push(std::size_t events, std::uint32_t partition = 0) {
    PendingAppend one = pending(events, partition);
    REQUIRE(queue.push(one));
  }
  Sizes take() { return sizes(queue.take()); }

  testkit::TestServices services;
  AppendQueue queue;
};

TEST_CASE("a group takes what fits under the limits, in order, and at least one append") {
  Fixture fixture;
  for (const std::size_t events : {3U, 4U, 5U, 50U, 1U}) fixture.push(events);
  CHECK(fixture.queue.events() == 63);
  CHECK(fixture.services.metric("waiting") == 63);
  CHECK(fixture.take() == Sizes{3, 4});
  CHECK(fixture.take() == Sizes{5});
  CHECK(fixture.take() == Sizes{50});
  CHECK(fixture.take() == Sizes{1});
  CHECK(fixture.queue.events() == 0);
  CHECK(fixture.services.metric("waiting") == 0);
}

TEST_CASE("what waits can be withdrawn, wherever it stands, and what was taken can not") {
  Fixture fixture;
  for (std::uint64_t number = 1; number <= 4; ++number) {
    PendingAppend one = pending(number, number % 2 == 0 ? 1 : 0);
    one.ticket.number = number;
    REQUIRE(fixture.queue.push(one));
  }
  const std::optional<PendingAppend> withdrawn = fixture.queue.withdraw(3);
  REQUIRE(withdrawn);
  CHECK(withdrawn->ticket.number == 3);
  CHECK(fixture.queue.events() == 7);
  CHECK(fixture.services.metric("waiting") == 7);
  CHECK_FALSE(fixture.queue.withdraw(3));
  CHECK(fixture.take() == Sizes{1, 2, 4});
  CHECK_FALSE(fixture.queue.withdraw(1));
}

TEST_CASE("a closed queue whose last append is withdrawn lets its lanes go") {
  Fixture fixture;
  PendingAppend first = pending(1);
  REQUIRE(fixture.queue.push(first));
  const AppendQueue::Taken held = fixture.queue.take();
  PendingAppend second = pending(1);
  second.ticket.number = 2;
  REQUIRE(fixture.queue.push(second));
  auto lane = std::async(std::launch::async, [&] { return fixture.queue.take().group.empty(); });
  fixture.queue.close();
  CHECK(fixture.queue.withdraw(2));
  CHECK(lane.get());
}

TEST_CASE("a group is bounded by bytes too") {
  const std::uint64_t bytes = pending(1).ticket.bytes;
  Fixture two({100, 2 * bytes});
  Fixture none({100, 1});
  for (int i = 0; i < 3; ++i) {
    two.push(1);
    none.push(1);
  }
  CHECK(two.take() == Sizes{1, 1});
  CHECK(none.take() == Sizes{1});
}

TEST_CASE("appends put back come first, and a closed queue gives what it has and takes no more") {
  Fixture fixture({5, kNoByteLimit});
  fixture.push(7);
  std::vector<PendingAppend> back;
  back.push_back(pending(2));
  back.push_back(pending(3));
  fixture.queue.put_back(std::move(back));
  fixture.queue.close();
  PendingAppend refused = pending(1);
  CHECK_FALSE(fixture.queue.push(refused));
  CHECK(refused.append.writes.size() == 1);
  CHECK(fixture.take() == Sizes{2, 3});
  CHECK(fixture.queue.take_all().size() == 1);
  CHECK(fixture.take().empty());
  CHECK(fixture.queue.events() == 0);
}

TEST_CASE("a group takes from every partition, the one that waits longest first") {
  Fixture fixture({100, kNoByteLimit});
  fixture.push(1, 2);
  fixture.push(2, 0);
  fixture.push(3, 2);
  fixture.push(4, 1);
  CHECK(fixture.take() == Sizes{1, 3, 2, 4});
}

TEST_CASE("while a transaction is open another begins only when it is full") {
  Fixture fixture;
  fixture.push(1);
  std::atomic<bool> begun{false};
  Sizes second;
  std::thread other;
  {
    const AppendQueue::Taken open = fixture.queue.take();
    fixture.push(4, 1);
    fixture.push(5, 0);  // of a partition that is held: no work for another lane
    other = std::thread([&] {
      second = fixture.take();
      begun = true;
    });
    std::this_thread::sleep_for(30ms);
    CHECK_FALSE(begun);
    fixture.push(6, 2);
    other.join();
    CHECK(second == Sizes{4, 6});
  }
  CHECK(fixture.take() == Sizes{5});
}

TEST_CASE("a transaction that takes long holds up nobody, not even its own partitions") {
  Fixture fixture({100, kNoByteLimit}, 50ms);
  fixture.push(1);
  const AppendQueue::Taken hanging = fixture.queue.take();
  const auto begun = std::chrono::steady_clock::now();
  Sizes taken;
  // It sleeps already when something comes, and more comes while it waits.
  std::thread other([&] { taken = fixture.take(); });
  std::this_thread::sleep_for(5ms);
  fixture.push(2, 1);
  fixture.push(3, 0);
  other.join();
  CHECK(taken == Sizes{2, 3});
  CHECK(std::chrono::steady_clock::now() - begun >= 45ms);
  CHECK(fixture.queue.events() == 0);
}

TEST_CASE("lanes take everything once, a partition's in order and by one lane at a time") {
  constexpr std::uint32_t kPartitions = 4;
  constexpr std::uint32_t kEach = 2'000;
  testkit::TestServices services;
  AppendQueue queue(kPartitions, {200, kNoByteLimit}, 1h,
                    services.metrics().gauge("waiting", "", {}));
  std::array<std::atomic<bool>, kPartitions> busy{};
  std::array<std::uint32_t, kPartitions> last{};
  std::atomic<int> wrong{0};
  std::atomic<std::uint32_t> taken{0};
  std::vector<std::thread> lanes;
  for (int lane = 0; lane < 3; ++lane) {
    lanes.emplace_back([&] {
      while (true) {
        const AppendQueue::Taken mine = queue.take();
        if (mine.group.empty()) return;
        std::array<bool, kPartitions> here{};
        for (std::size_t i = 0; i < mine.group.size(); ++i) {
          const std::uint32_t partition = mine.group.appends[i].writes[0].partition.value;
          if (!here.at(partition) && busy.at(partition).exchange(true)) ++wrong;
          here.at(partition) = true;
          const auto number = static_cast<std::uint32_t>(mine.group.tickets[i].bytes);
          if (number != last.at(partition) + 1) ++wrong;
          last.at(partition) = number;
          ++taken;
        }
        std::this_thread::yield();
        for (std::uint32_t p = 0; p < kPartitions; ++p) {
          if (here.at(p)) busy.at(p) = false;
        }
      }
    });
  }
  std::vector<std::thread> clients;
  for (std::uint32_t partition = 0; partition < kPartitions; ++partition) {
    clients.emplace_back([&, partition] {
      for (std::uint32_t i = 1; i <= kEach; ++i) {
        PendingAppend one = pending(1, partition);
        one.ticket.bytes = i;  // its number
        if (!queue.push(one)) ++wrong;
      }
    });
  }
  for (std::thread& client : clients) client.join();
  queue.close();
  for (std::thread& lane : lanes) lane.join();
  CHECK(wrong == 0);
  CHECK(taken == kPartitions * kEach);
}

}  // namespace
}  // namespace vouch::append
