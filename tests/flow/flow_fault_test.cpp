// The flow with one failure at each step in turn: what the client is told, what is in the database,
// what reaches the outbound topic.
#include <algorithm>
#include <catch2/catch.hpp>
#include <functional>
#include <future>
#include <map>
#include <thread>

#include "host_under_test.h"

namespace vouch::tests {
namespace {

using append::AppendAnswer;
using append::AppendCode;
using testkit::Fault;
using testkit::Step;

bool eventually(const std::function<bool()>& condition,
                std::chrono::milliseconds limit = std::chrono::seconds(5)) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

std::uint64_t sum(saga::Saga& saga, std::uint64_t saga::PartitionReport::*member) {
  const auto reports = saga.report();
  REQUIRE(reports.ok());
  std::uint64_t total = 0;
  for (const saga::PartitionReport& report : *reports) total += report.*member;
  return total;
}

/// After a fault has passed: the stream takes appends, and everything stored came out in order.
void check_recovered(World& world, Host& host) {
  world.faults.clear();
  const AppendAnswer answer = host.appends().append(make_append("account-1"));
  REQUIRE(answer.code == AppendCode::committed);
  const std::vector<Event> events = world.database.events();
  REQUIRE(eventually([&] { return world.database.undelivered().empty(); }));
  std::map<std::string, std::vector<std::uint64_t>> stored;
  for (const Event& event : events) stored[event.stream.str()].push_back(event.version.value);
  std::map<std::string, std::vector<std::uint64_t>> firsts;
  for (const Published& one : published(world.exchange)) {
    std::vector<std::uint64_t>& seen = firsts[one.stream];
    if (std::find(seen.begin(), seen.end(), one.version) == seen.end()) seen.push_back(one.version);
  }
  CHECK(firsts == stored);
}

TEST_CASE("insert fails: the client is told nothing was written, and nothing was") {
  World world;
  Host host(world);
  world.faults.arm(Step::stage, Fault::fail);
  const AppendAnswer answer = host.appends().append(make_append("account-1"));
  CHECK(answer.code == AppendCode::storage_unavailable);
  CHECK(world.database.events().empty());
  CHECK(world.exchange.validation().empty());
  check_recovered(world, host);
}

TEST_CASE("commit fails while signals can't be resolved: still nothing is published") {
  World world;
  Host host(world);
  world.faults.arm(Step::resolve, Fault::fail, 1000);
  world.faults.arm(Step::commit, Fault::fail);
  const AppendAnswer answer = host.appends().append(make_append("account-1"));
  CHECK(answer.code == AppendCode::storage_unavailable);
  CHECK(world.database.events().empty());
  CHECK(world.exchange.outbound().empty());
  check_recovered(world, host);
}

TEST_CASE(
    "validation publish fails: rolled back, the client told, nothing reaches the outbound topic") {
  World world;
  Host host(world);
  const Fault fault = GENERATE(Fault::fail, Fault::reject);
  world.faults.arm(Step::publish_validation, fault);
  const AppendAnswer answer = host.appends().append(make_append("account-1"));
  CHECK(answer.code == AppendCode::broker_unavailable);
  CHECK(world.database.events().empty());
  std::this_thread::sleep_for(std::chrono::milliseconds(250));
  CHECK(world.exchange.outbound().empty());
  CHECK(host.services().metric("vouch_append_rollbacks_total") == 1);
  check_recovered(world, host);
}

TEST_CASE("validation publish times out but the message turns up: the saga drops it as a phantom") {
  World world;
  Host host(world);
  world.faults.arm(Step::publish_validation, Fault::lose_and_fail);
  const AppendAnswer answer = host.appends().append(make_append("account-1"));
  CHECK(answer.code == AppendCode::broker_unavailable);
  CHECK(world.database.events().empty());
  REQUIRE(world.exchange.validation().size() == 1);
  CHECK(eventually([&] { return sum(host.saga(), &saga::PartitionReport::phantoms) == 1; }));
  CHECK(world.exchange.outbound().empty());
  check_recovered(world, host);
}

TEST_CASE("validation publish stalls beyond its time-out: rolled back, and nothing goes out") {
  World world;
  Host host(world);
  world.faults.arm(Step::publish_validation, Fault::stall);
  const AppendAnswer answer = host.appends().append(make_append("account-1"));
  CHECK(answer.code == AppendCode::broker_unavailable);
  CHECK(world.database.events().empty());
  world.faults.release();
  std::this_thread::sleep_for(std::chrono::milliseconds(200));  // two sweeps
  CHECK(world.exchange.outbound().empty());
  check_recovered(world, host);
}

TEST_CASE(
    "commit fails: the client told nothing was written, and the message is dropped as a phantom") {
  World world;
  Host host(world);
  world.faults.arm(Step::commit, Fault::fail);
  const AppendAnswer answer = host.appends().append(make_append("account-1"));
  CHECK(answer.code == AppendCode::storage_unavailable);
  CHECK(world.database.events().empty());
  CHECK(eventually([&] { return sum(host.saga(), &saga::PartitionReport::phantoms) == 1; }));
  CHECK(world.exchange.outbound().empty());
  check_recovered(world, host);
}

TEST_CASE(
    "the commit's answer is lost and it was done: the database is asked, the client told "
    "committed") {
  World world;
  Host host(world);
  world.faults.arm(Step::commit, Fault::lose);
  const AppendAnswer answer = host.appends().append(make_append("account-1"));
  CHECK(answer.code == AppendCode::committed);
  CHECK(world.database.events().size() == 1);
  CHECK(world.exchange.wait_outbound(1));
  CHECK(host.services().metric("vouch_append_unknown_commits_total") == 1);
  check_recovered(world, host);
}

TEST_CASE("the commit's answer is lost and it was not done: the client told nothing was written") {
  World world;
  Host host(world);
  world.faults.arm(Step::commit, Fault::lose_and_fail);
  const AppendAnswer answer = host.appends().append(make_append("account-1"));
  CHECK(answer.code == AppendCode::storage_unavailable);
  CHECK(world.database.events().empty());
  CHECK(eventually([&] { return sum(host.saga(), &saga::PartitionReport::phantoms) == 1; }));
  CHECK(world.exchange.outbound().empty());
  check_recovered(world, host);
}

TEST_CASE(
    "the commit's answer is lost and the database can't be asked: commit unknown, definite later") {
  World world;
  HostSettings settings;
  settings.resolve_timeout = std::chrono::milliseconds(50);
  Host host(world, settings);
  world.faults.arm(Step::commit, Fault::lose);
  world.faults.arm(Step::resolve, Fault::fail, 1000);
  const AppendAnswer answer = host.appends().append(make_append("account-1"));
  CHECK(answer.code == AppendCode::commit_unknown);
  world.faults.clear();
  const auto verdicts = host.storage().resolve({&answer.token, 1});
  REQUIRE(verdicts.ok());
  CHECK(verdicts->front() == Verdict::committed);
  CHECK(world.exchange.wait_outbound(1));
  check_recovered(world, host);
}

TEST_CASE(
    "the validation message is lost: the sweep delivers in order and counts it as recovered") {
  World world;
  Host host(world);
  // Of all five, nothing comes behind that could make the saga look.
  const std::uint32_t lost = GENERATE(3U, 5U);
  world.faults.arm(Step::publish_validation, Fault::lose, lost);
  for (int i = 0; i < 5; ++i) {
    REQUIRE(host.appends().append(make_append("account-1", 2)).code == AppendCode::committed);
  }
  REQUIRE(world.exchange.wait_outbound(10, std::chrono::seconds(2)));
  const std::vector<Published> all = published(world.exchange);
  for (std::size_t i = 0; i < all.size(); ++i) CHECK(all[i] == Published{"account-1", i + 1});
  CHECK(eventually([&] { return sum(host.saga(), &saga::PartitionReport::recovered) == lost; }));
  CHECK(sum(host.saga(), &saga::PartitionReport::delivered) == 10);
  check_recovered(world, host);
}

TEST_CASE("a validation message that comes twice or late delivers nothing twice") {
  World world;
  Host host(world);
  const Fault fault = GENERATE(Fault::duplicate, Fault::reorder);
  world.faults.arm(Step::publish_validation, fault, 2);
  for (int i = 0; i < 4; ++i) {
    REQUIRE(host.appends().append(make_append("account-1")).code == AppendCode::committed);
  }
  REQUIRE(world.exchange.wait_outbound(4));
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  CHECK(world.exchange.outbound().size() == 4);
  CHECK(sum(host.saga(), &saga::PartitionReport::redelivered) == 0);
  check_recovered(world, host);
}

TEST_CASE(
    "the database can't be asked about a signal, or can't load events: delivered once it can") {
  World world;
  Host host(world);
  const Step step = GENERATE(Step::resolve, Step::ready);
  world.faults.arm(step, Fault::fail, 5);
  REQUIRE(host.appends().append(make_append("account-1")).code == AppendCode::committed);
  CHECK(world.exchange.wait_outbound(1));
  check_recovered(world, host);
}

TEST_CASE("the outbound publish is not acknowledged: published again, in order, and counted") {
  World world;
  Host host(world);
  const Fault fault = GENERATE(Fault::fail, Fault::lose_and_fail);
  world.faults.arm(Step::publish_outbound, fault, 2);
  for (int i = 0; i < 3; ++i) {
    REQUIRE(host.appends().append(make_append("account-1", 2)).code == AppendCode::committed);
  }
  REQUIRE(eventually([&] { return world.database.undelivered().empty(); }));
  CHECK(sum(host.saga(), &saga::PartitionReport::redelivered) >= 2);
  check_recovered(world, host);
}

TEST_CASE("a partition that can't be delivered says why and holds back nobody else") {
  World world;
  Host host(world);
  // Two streams in different partitions: only the first event published keeps failing.
  const std::string first = "account-1";
  std::string second;
  for (int i = 2; second.empty(); ++i) {
    const std::string name = "account-" + std::to_string(i);
    if (partition_of(name, world.partitions) != partition_of(first, world.partitions))
      second = name;
  }
  world.faults.arm(Step::publish_outbound, Fault::fail, 3);
  REQUIRE(host.appends().append(make_append(first)).code == AppendCode::committed);
  REQUIRE(host.appends().append(make_append(second)).code == AppendCode::committed);
  CHECK(world.exchange.wait_outbound(2));
  check_recovered(world, host);
}

TEST_CASE("the mark of a delivery is lost: nothing is lost, at worst published again") {
  World world;
  {
    Host host(world);
    world.faults.arm(Step::complete, Fault::lose, 100);
    REQUIRE(host.appends().append(make_append("account-1", 2)).code == AppendCode::committed);
    REQUIRE(world.exchange.wait_outbound(2));
    host.kill();
  }
  world.faults.clear();
  Host next(world);
  CHECK(eventually([&] { return world.database.undelivered().empty(); }));
  check_recovered(world, next);
}

TEST_CASE("the mark can't be written: kept and written later, without publishing again") {
  World world;
  Host host(world);
  world.faults.arm(Step::complete, Fault::fail, 3);
  REQUIRE(host.appends().append(make_append("account-1")).code == AppendCode::committed);
  REQUIRE(eventually([&] { return world.database.undelivered().empty(); }));
  CHECK(world.exchange.outbound().size() == 1);
  check_recovered(world, host);
}

TEST_CASE(
    "the host dies between publish and commit: nothing was written, the next host drops the "
    "message") {
  World world;
  {
    Host host(world);
    world.faults.arm(Step::commit, Fault::stall);
    auto answer = std::async(std::launch::async,
                             [&] { return host.appends().append(make_append("account-1")); });
    REQUIRE(world.faults.wait_stalled(Step::commit));
    REQUIRE(world.exchange.validation().size() == 1);
    host.crash_storage();
    world.faults.release();
    CHECK(answer.get().code != AppendCode::committed);
    host.kill();
  }
  CHECK(world.database.events().empty());
  Host next(world);
  check_recovered(world, next);
}

TEST_CASE("the host dies after the commit, before anything is delivered: the next host delivers") {
  World world;
  {
    Host host(world);
    world.faults.arm(Step::ready, Fault::fail, 1000);
    REQUIRE(host.appends().append(make_append("account-1", 3)).code == AppendCode::committed);
    host.kill();
  }
  world.faults.clear();
  CHECK(world.exchange.outbound().empty());
  Host next(world);
  CHECK(world.exchange.wait_outbound(3));
  check_recovered(world, next);
}

/// Appends that go into one transaction, because the lane is busy while they are submitted.
std::vector<AppendAnswer> append_together(World& world, Host& host, std::vector<Append> appends,
                                          const std::function<void()>& arm) {
  world.faults.arm(Step::commit, Fault::stall);
  auto first = std::async(std::launch::async,
                          [&] { return host.appends().append(make_append("account-9")); });
  REQUIRE(world.faults.wait_stalled(Step::commit));
  std::vector<std::promise<AppendAnswer>> promises(appends.size());
  std::vector<AppendAnswer> answers;
  for (std::size_t i = 0; i < appends.size(); ++i) {
    host.appends().submit(std::move(appends[i]), [&promises, i](AppendAnswer answer) {
      promises[i].set_value(std::move(answer));
    });
  }
  arm();
  world.faults.release();
  first.get();
  for (auto& promise : promises) answers.push_back(promise.get_future().get());
  return answers;
}

TEST_CASE(
    "a group is rolled back: what an earlier transaction stored is still answered as stored") {
  World world;
  HostSettings settings;
  settings.lanes = 1;
  Host host(world, settings);
  Append repeated = make_append("account-1");
  repeated.writes[0].events[0].id = *EventId::parse("0ujtsYcgvSTl8PAuAdqWYSMnLOv");
  const AppendAnswer stored = host.appends().append(repeated);
  REQUIRE(stored.code == AppendCode::committed);
  const Step step = GENERATE(Step::publish_validation, Step::commit);
  const auto answers = append_together(world, host, {repeated, make_append("account-2")},
                                       [&] { world.faults.arm(step, Fault::fail); });
  CHECK(answers[0].code == AppendCode::duplicate);
  CHECK(answers[0].ids == stored.ids);
  CHECK((answers[1].code == AppendCode::broker_unavailable ||
         answers[1].code == AppendCode::storage_unavailable));
  check_recovered(world, host);
}

TEST_CASE("a group's outcome is unknown: the repetition of one of its appends is unknown as well") {
  World world;
  HostSettings settings;
  settings.lanes = 1;
  settings.resolve_timeout = std::chrono::milliseconds(50);
  Host host(world, settings);
  Append append = make_append("account-1");
  append.writes[0].events[0].id = *EventId::parse("0ujtsYcgvSTl8PAuAdqWYSMnLOv");
  const auto answers = append_together(world, host, {append, append}, [&] {
    world.faults.arm(Step::commit, Fault::lose);
    world.faults.arm(Step::resolve, Fault::fail, 1000);
  });
  CHECK(answers[0].code == AppendCode::commit_unknown);
  CHECK(answers[1].code == AppendCode::commit_unknown);
  CHECK(answers[1].token == answers[0].token);
  check_recovered(world, host);
}

}  // namespace
}  // namespace vouch::tests
