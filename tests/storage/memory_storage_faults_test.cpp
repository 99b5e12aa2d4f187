// What MemoryStorage does when it is told to fail; tests of hosts rest on it.
#include <catch2/catch.hpp>
#include <thread>

#include "vouch/testkit/faulty_storage.h"
#include "vouch/testkit/memory_storage.h"

namespace vouch::testkit {
namespace {

struct World {
  World() { start(); }
  void start() {
    host = std::make_unique<MemoryStorage>(database, faults);
    REQUIRE(host->open().ok());
    REQUIRE(host->migrate({"shop", 4}).ok());
    lane = std::move(host->lane({0}, {}).value());
  }
  static Append append(std::uint8_t id) {
    Write write;
    write.stream = StreamName::unchecked("order-1");
    write.partition = partition_of("order-1", 4);
    write.events.emplace_back();
    write.events[0].id.bytes[0] = id;
    write.events[0].type = "Placed";
    Append append;
    append.writes.push_back(std::move(write));
    return append;
  }
  Result<StagedGroup> stage(std::uint8_t id) {
    const Append one = append(id);
    return lane->stage(std::span<const Append>(&one, 1));
  }
  Verdict resolve(const Token& token) {
    return host->resolve(std::span<const Token>(&token, 1))->front();
  }

  MemoryDatabase database;
  Faults faults;
  std::unique_ptr<MemoryStorage> host;
  std::unique_ptr<Lane> lane;
};

TEST_CASE("a commit whose answer is lost is committed") {
  World world;
  world.faults.arm(Step::commit, Fault::lose);
  const Token token = world.stage(1)->token;
  CHECK(world.lane->commit().outcome == CommitOutcome::unknown);
  CHECK(world.resolve(token) == Verdict::committed);
  CHECK(world.database.events().size() == 1);
  const Token next = world.stage(2)->token;
  CHECK(next.batch.value >> 32U == (token.batch.value >> 32U) + 1);
}

TEST_CASE("a commit that is lost with its answer is aborted") {
  World world;
  world.faults.arm(Step::commit, Fault::lose_and_fail);
  const Token token = world.stage(1)->token;
  CHECK(world.lane->commit().outcome == CommitOutcome::unknown);
  CHECK(world.resolve(token) == Verdict::aborted);
  CHECK(world.database.events().empty());
}

TEST_CASE("a failed commit is aborted and the lane goes on") {
  World world;
  world.faults.arm(Step::commit, Fault::fail);
  REQUIRE(world.stage(1).ok());
  CHECK(world.lane->commit().outcome == CommitOutcome::aborted);
  REQUIRE(world.stage(1).ok());
  CHECK(world.lane->commit().outcome == CommitOutcome::committed);
  CHECK(world.faults.record() == std::vector<std::string>{"stage", "commit", "stage", "commit"});
}

TEST_CASE("a stalled commit is in progress until it is released") {
  World world;
  world.faults.arm(Step::commit, Fault::stall);
  const Token token = world.stage(1)->token;
  CommitResult result;
  std::thread committer([&] { result = world.lane->commit(); });
  CHECK(world.faults.wait_stalled(Step::commit));
  CHECK(world.resolve(token) == Verdict::in_progress);
  world.faults.release();
  committer.join();
  CHECK(result.outcome == CommitOutcome::committed);
  CHECK(world.resolve(token) == Verdict::committed);
}

TEST_CASE("a failed stage leaves no transaction open") {
  World world;
  world.faults.arm(Step::stage, Fault::fail, 1, 1);
  REQUIRE(world.stage(1).ok());
  world.lane->rollback();
  CHECK(world.stage(2).status().code() == StatusCode::unavailable);
  REQUIRE(world.stage(3).ok());
  CHECK(world.lane->commit().outcome == CommitOutcome::committed);
}

TEST_CASE("a mark that is lost comes back after a crash, not before") {
  World world;
  world.faults.arm(Step::complete, Fault::lose);
  const auto deliveries = world.stage(1)->deliveries;
  REQUIRE(world.lane->commit().outcome == CommitOutcome::committed);
  const DeliveryId id = deliveries.front().id;
  REQUIRE(world.host->ledger().complete(std::span<const DeliveryId>(&id, 1)).ok());
  CHECK(world.host->ledger().delivered(std::span<const DeliveryId>(&id, 1))->front() == 1);
  const auto crashed_lane = std::move(world.lane);
  const auto crashed = std::move(world.host);
  crashed->crash();
  world.start();
  CHECK(world.host->ledger().delivered(std::span<const DeliveryId>(&id, 1))->front() == 0);
  CHECK(world.database.undelivered() == std::vector<DeliveryId>{id});
}

TEST_CASE("a crashed host's calls fail and its lane is free") {
  World world;
  const Token token = world.stage(1)->token;
  const auto crashed_lane = std::move(world.lane);
  const auto crashed = std::move(world.host);
  crashed->crash();
  CHECK(crashed_lane->commit().outcome == CommitOutcome::unknown);
  CHECK(crashed->reader().feed_end().status().code() == StatusCode::unavailable);
  world.start();
  CHECK(world.resolve(token) == Verdict::aborted);
}

TEST_CASE("an exception is thrown only where it is armed") {
  World world;
  world.faults.arm(Step::stage, Fault::throw_exception);
  CHECK_THROWS(world.stage(1));
  CHECK(world.stage(1).ok());
}

TEST_CASE("a decider rules steps without an armed fault") {
  World world;
  world.faults.decide([](Step step) { return step == Step::read ? Fault::fail : Fault::none; });
  CHECK_FALSE(world.host->reader().feed_end().ok());
  world.faults.clear();
  CHECK(world.host->reader().feed_end().ok());
}

TEST_CASE("two lanes that wait for each other do not wait for ever") {
  World world;
  auto other = std::move(world.host->lane({1}, {}).value());
  const auto write = [](const char* stream, std::uint8_t id) {
    Append append = World::append(id);
    append.writes[0].stream = StreamName::unchecked(stream);
    return append;
  };
  // Each group stages its own stream, then both want the other's: one is refused at once.
  std::vector<Append> first{write("a", 1), write("b", 2)};
  std::vector<Append> second{write("b", 3), write("a", 4)};
  const auto run = [](Lane& lane, const std::vector<Append>& appends) {
    while (true) {
      const auto group = lane.stage(appends);
      if (!group.ok()) {
        if (group.status().code() != StatusCode::contended) return false;
        continue;
      }
      for (const StageResult& result : group->results) {
        if (result.outcome != StageOutcome::staged) {
          lane.rollback();
          break;
        }
        if (&result == &group->results.back()) {
          return lane.commit().outcome == CommitOutcome::committed;
        }
      }
    }
  };
  bool done = false;
  std::thread thread([&] { done = run(*other, second); });
  CHECK(run(*world.lane, first));
  thread.join();
  CHECK(done);
  CHECK(world.database.events().size() == 4);
}

/// Of a storage that was told to fail at erasing, then to do it and lose the answer.
void check_erasures(World& world, Storage& storage, Faults& faults) {
  REQUIRE(world.stage(1).ok());
  REQUIRE(world.lane->commit().outcome == CommitOutcome::committed);
  void* const found = storage.query(ErasureStore::kInterface);
  REQUIRE(found != nullptr);
  auto& erasures = *static_cast<ErasureStore*>(found);
  const Erasure erasure{StreamName::unchecked("order-1"), {1}, {9}, {7}, "gone", "{}"};
  faults.arm(Step::erase, Fault::fail);
  CHECK(erasures.erase(erasure).status().code() == StatusCode::unavailable);
  CHECK(world.database.events()[0].data.empty());
  CHECK(erasures.recorded(erasure.stream)->empty());
  faults.arm(Step::erase, Fault::lose_and_fail);
  CHECK(erasures.erase(erasure).status().code() == StatusCode::unavailable);
  CHECK(world.database.events()[0].data == "null");
  CHECK(erasures.recorded(erasure.stream)->size() == 1);
  faults.arm(Step::erase, Fault::throw_exception);
  CHECK_THROWS(erasures.erase(erasure));
  CHECK(erasures.erase(erasure)->events == 0);
}

TEST_CASE("an erasure fails before or after it is done") {
  World world;
  check_erasures(world, *world.host, world.faults);
}

TEST_CASE("erasures of a storage behind faults pass through") {
  World world;
  Faults faults;
  FaultyStorage storage(*world.host, faults);
  check_erasures(world, storage, faults);
}

}  // namespace
}  // namespace vouch::testkit
