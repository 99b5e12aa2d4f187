// What MemoryBroker does when it is told to fail; tests of hosts rest on it.
#include <catch2/catch.hpp>
#include <condition_variable>
#include <map>
#include <mutex>

#include "vouch/testkit/memory_broker.h"

namespace vouch::testkit {
namespace {

class Sink final : public PublishSink {
 public:
  void published(std::size_t index, PublishOutcome outcome, const Status& /*why*/) override {
    const std::lock_guard lock(mutex_);
    outcomes_[index] = outcome;
    changed_.notify_all();
  }
  std::vector<PublishOutcome> wait(std::size_t count) {
    std::unique_lock lock(mutex_);
    REQUIRE(changed_.wait_for(lock, std::chrono::seconds(5),
                              [&] { return outcomes_.size() == count; }));
    std::vector<PublishOutcome> all;
    for (const auto& [index, outcome] : outcomes_) all.push_back(outcome);
    return all;
  }
  std::size_t heard() {
    const std::lock_guard lock(mutex_);
    return outcomes_.size();
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::size_t, PublishOutcome> outcomes_;
};

class Inbox final : public MessageSink {
 public:
  void message(const Message& message) override {
    const std::lock_guard lock(mutex_);
    payloads_.emplace_back(message.payload);
    changed_.notify_all();
  }
  void gap() override {}
  std::vector<std::string> wait(std::size_t count) {
    std::unique_lock lock(mutex_);
    REQUIRE(changed_.wait_for(lock, std::chrono::seconds(5),
                              [&] { return payloads_.size() >= count; }));
    return payloads_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> payloads_;
};

constexpr std::chrono::seconds kLong{30};

struct World {
  World() { REQUIRE(broker.open().ok()); }
  ~World() { faults.clear(); }
  Status publish(Sink& sink, std::vector<std::pair<const char*, const char*>> messages,
                 std::chrono::milliseconds deadline = kLong, const char* topic = "events") {
    std::vector<Message> all;
    for (const auto& [key, payload] : messages) {
      all.push_back({topic, Partition{0}, key, {}, payload});
    }
    return broker.publish(all, deadline, sink);
  }
  std::vector<std::string> taken() const {
    std::vector<std::string> payloads;
    for (const TakenMessage& message : exchange.outbound()) payloads.push_back(message.payload);
    return payloads;
  }

  Faults faults;
  MemoryExchange exchange{faults};
  MemoryBroker broker{exchange};
};

using Payloads = std::vector<std::string>;
using Outcomes = std::vector<PublishOutcome>;
constexpr auto kAcked = PublishOutcome::acked;
constexpr auto kUnknown = PublishOutcome::unknown;
constexpr auto kRejected = PublishOutcome::rejected;

TEST_CASE("a failed publish keeps back those of its key only") {
  World world;
  Sink sink;
  world.faults.arm(Step::publish_outbound, Fault::fail);
  REQUIRE(world.publish(sink, {{"a", "a1"}, {"b", "b1"}, {"a", "a2"}, {"b", "b2"}}).ok());
  CHECK(sink.wait(4) == Outcomes{kUnknown, kAcked, kUnknown, kAcked});
  CHECK(world.taken() == Payloads{"b1", "b2"});
}

TEST_CASE("a rejected message rejects no other") {
  World world;
  Sink sink;
  world.faults.arm(Step::publish_outbound, Fault::reject);
  REQUIRE(world.publish(sink, {{"a", "a1"}, {"a", "a2"}}).ok());
  CHECK(sink.wait(2) == Outcomes{kRejected, kUnknown});
  CHECK(world.taken().empty());
}

TEST_CASE("lost, doubled and reordered messages are what their names say") {
  World world;
  Sink sink;
  world.faults.arm(Step::publish_outbound, Fault::lose);
  world.faults.arm(Step::publish_outbound, Fault::duplicate);
  world.faults.arm(Step::publish_outbound, Fault::lose_and_fail);
  world.faults.arm(Step::publish_outbound, Fault::reorder);
  REQUIRE(world.publish(sink, {{"a", "1"}, {"b", "2"}, {"c", "3"}, {"d", "4"}, {"e", "5"}}).ok());
  CHECK(sink.wait(5) == Outcomes{kAcked, kAcked, kUnknown, kAcked, kAcked});
  CHECK(world.taken() == Payloads{"2", "2", "3", "5", "4"});
}

TEST_CASE("a stalled publish goes on when it is released, in the order of its key") {
  World world;
  Sink first;
  Sink second;
  world.faults.arm(Step::publish_outbound, Fault::stall);
  REQUIRE(world.publish(first, {{"a", "a1"}, {"a", "a2"}, {"b", "b1"}}).ok());
  REQUIRE(world.publish(second, {{"a", "a3"}}).ok());
  CHECK(world.taken() == Payloads{"b1"});
  CHECK(second.heard() == 0);
  world.faults.release();
  CHECK(first.wait(3) == Outcomes{kAcked, kAcked, kAcked});
  CHECK(second.wait(1) == Outcomes{kAcked});
  CHECK(world.taken() == Payloads{"b1", "a1", "a2", "a3"});
}

TEST_CASE("a stalled publish is unknown and never taken after its deadline") {
  World world;
  Sink sink;
  Sink later;
  world.faults.arm(Step::publish_outbound, Fault::stall);
  REQUIRE(world.publish(sink, {{"a", "a1"}, {"a", "a2"}}, std::chrono::milliseconds(30)).ok());
  REQUIRE(world.publish(later, {{"a", "a3"}}).ok());
  CHECK(sink.wait(2) == Outcomes{kUnknown, kUnknown});
  CHECK(later.wait(1) == Outcomes{kAcked});
  world.faults.release();
  CHECK(world.taken() == Payloads{"a3"});
}

TEST_CASE("validation messages are lost, doubled and reordered on their way to a subscriber") {
  World world;
  Inbox inbox;
  auto subscription = std::move(world.broker.subscribe("vouch.validation", {0}, inbox).value());
  world.faults.arm(Step::deliver_validation, Fault::lose);
  world.faults.arm(Step::deliver_validation, Fault::duplicate);
  world.faults.arm(Step::deliver_validation, Fault::reorder);
  Sink sink;
  REQUIRE(
      world.publish(sink, {{"", "1"}, {"", "2"}, {"", "3"}, {"", "4"}}, kLong, "vouch.validation")
          .ok());
  CHECK(sink.wait(4) == Outcomes{kAcked, kAcked, kAcked, kAcked});
  CHECK(inbox.wait(4) == Payloads{"2", "2", "4", "3"});
  CHECK(world.exchange.validation().size() == 4);
  CHECK(world.taken().empty());
}

TEST_CASE("an exchange outlives its brokers") {
  World world;
  Inbox inbox;
  MemoryBroker other(world.exchange);
  REQUIRE(other.open().ok());
  auto subscription = std::move(other.subscribe("events", {0}, inbox).value());
  Sink sink;
  REQUIRE(world.publish(sink, {{"a", "across"}}).ok());
  CHECK(inbox.wait(1) == Payloads{"across"});
  world.broker.close();
  CHECK(world.publish(sink, {{"a", "closed"}}).code() == StatusCode::unavailable);
  CHECK(world.exchange.wait_outbound(1));
}

}  // namespace
}  // namespace vouch::testkit
