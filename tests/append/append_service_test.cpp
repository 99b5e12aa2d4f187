// AppendService beside the flow itself: several writes at once, preconditions, lanes, stopping.
#include <catch2/catch.hpp>
#include <future>
#include <thread>

#include "host_under_test.h"

namespace vouch::append {
namespace {

using testkit::Fault;
using testkit::Step;
using tests::Host;
using tests::HostSettings;
using tests::make_append;
using tests::World;

TEST_CASE("an append of several streams is written whole or not at all") {
  World world;
  Host host(world);
  Append both = make_append("account-1", 2);
  both.writes.push_back(make_append("order-1", 1, ExpectedVersion::none()).writes[0]);
  const Append again = both;
  const AppendAnswer first = host.appends().append(both);
  REQUIRE(first.code == AppendCode::committed);
  CHECK(first.ranges.size() == 2);
  CHECK(first.ids.size() == 3);
  const AppendAnswer second = host.appends().append(again);
  CHECK(second.code == AppendCode::wrong_version);
  CHECK(second.failed == 1);
  CHECK(second.actual == Version{1});
  CHECK(world.database.events().size() == 3);
}

TEST_CASE("a precondition on another stream is checked in the same transaction") {
  World world;
  Host host(world);
  Append append = make_append("account-1");
  append.preconditions.push_back(
      {StreamName::unchecked("limit-1"), ExpectedVersion::exact(Version{1})});
  const Append again = append;
  CHECK(host.appends().append(append).code == AppendCode::wrong_version);
  REQUIRE(host.appends().append(make_append("limit-1")).code == AppendCode::committed);
  CHECK(host.appends().append(again).code == AppendCode::committed);
}

TEST_CASE("lanes are lowered to what the storage can do") {
  World world;
  world.max_lanes = 1;
  HostSettings settings;
  settings.lanes = 8;
  Host host(world, settings);
  CHECK(host.appends().lanes().size() == 1);
}

TEST_CASE("a second host takes other lanes than the first") {
  World world;
  Host first(world);
  Host second(world);
  std::vector<LaneNumber> numbers;
  for (Host* host : {&first, &second}) {
    for (const LaneReport& lane : host->appends().lanes()) numbers.push_back(lane.number);
  }
  std::sort(numbers.begin(), numbers.end());
  CHECK(std::adjacent_find(numbers.begin(), numbers.end()) == numbers.end());
}

TEST_CASE("stopping finishes what is in a transaction and refuses what comes later") {
  World world;
  Host host(world);
  world.faults.arm(Step::commit, Fault::stall);
  auto answer = std::async(std::launch::async,
                           [&] { return host.appends().append(make_append("account-1")); });
  REQUIRE(world.faults.wait_stalled(Step::commit));
  auto stopped = std::async(std::launch::async, [&] { host.stop(std::chrono::seconds(5)); });
  while (host.appends().append(make_append("account-2")).code != AppendCode::storage_unavailable) {
  }
  world.faults.release();
  CHECK(answer.get().code == AppendCode::committed);
  stopped.get();
  const auto events = world.database.events();
  CHECK(std::count_if(events.begin(), events.end(),
                      [](const Event& event) { return event.stream.str() == "account-1"; }) == 1);
}

TEST_CASE("a second stop with an earlier deadline cuts short the one that waits") {
  World world;
  HostSettings settings;
  settings.publish_timeout = std::chrono::seconds(30);
  Host host(world, settings);
  world.faults.arm(Step::publish_validation, Fault::stall);
  auto answer = std::async(std::launch::async,
                           [&] { return host.appends().append(make_append("account-1")); });
  REQUIRE(world.faults.wait_stalled(Step::publish_validation));
  const auto start = std::chrono::steady_clock::now();
  auto patient = std::async(std::launch::async,
                            [&] { host.appends().stop(start + std::chrono::seconds(30)); });
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  host.appends().stop(std::chrono::steady_clock::now());
  patient.get();
  CHECK(answer.get().code == AppendCode::broker_unavailable);
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(10));
  world.faults.release();
}

TEST_CASE("a host that stops at once gives up waiting for a broker that does not answer") {
  World world;
  HostSettings settings;
  settings.publish_timeout = std::chrono::seconds(30);
  Host host(world, settings);
  world.faults.arm(Step::publish_validation, Fault::stall);
  auto answer = std::async(std::launch::async,
                           [&] { return host.appends().append(make_append("account-1")); });
  REQUIRE(world.faults.wait_stalled(Step::publish_validation));
  const auto start = std::chrono::steady_clock::now();
  auto stopped = std::async(std::launch::async, [&] { host.stop(std::chrono::milliseconds(50)); });
  CHECK(answer.get().code == AppendCode::broker_unavailable);
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(5));
  world.faults.release();
  stopped.get();
  CHECK(world.database.events().empty());
}

}  // namespace
}  // namespace vouch::append
