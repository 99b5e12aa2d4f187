// What subscribers of the local broker see.
#include <sys/resource.h>

#include <catch2/catch.hpp>
#include <thread>

#include "fixture.h"

namespace vouch::broker_local {

using Entries = std::vector<std::string>;

TEST_CASE("every subscriber of a topic gets every message, in order, with its headers") {
  Local local;
  Received first;
  Received second;
  const auto one = local.subscribe("t", 0, first);
  const auto two = local.subscribe("t", 0, second);
  const Header headers[] = {{"content-type", "text/plain"}};

  const Outcomes outcomes = local.publish(
      {{"t", std::nullopt, "k", headers, "a"}, message("t", "k", "b"), message("t", "j", "c")});

  REQUIRE(outcomes.size() == 3);
  CHECK(outcomes.of(0) == PublishOutcome::acked);
  CHECK(outcomes.of(1) == PublishOutcome::acked);
  CHECK(outcomes.of(2) == PublishOutcome::acked);
  const Entries expected = {"t/0 k content-type=text/plain a", "t/0 k b", "t/0 j c"};
  CHECK(first.wait(3) == expected);
  CHECK(second.wait(3) == expected);
}

TEST_CASE("a message without a partition goes to the one that its key hashes to") {
  Local local;
  const TopicSpec topics[] = {{"t", 8}};
  REQUIRE(local.broker.ensure(topics, 0ms).ok());
  const std::uint32_t home = partition_of("order-1", 8).value;
  Received at_home;
  Received elsewhere;
  const auto one = local.subscribe("t", home, at_home);
  const auto two = local.subscribe("t", (home + 1) % 8, elsewhere);

  local.publish({message("t", "order-1", "hashed"),
                 {"t", Partition{(home + 1) % 8}, "order-1", {}, "given"}});

  CHECK(at_home.wait(1) == Entries{"t/" + std::to_string(home) + " order-1 hashed"});
  CHECK(elsewhere.wait(1) == Entries{"t/" + std::to_string((home + 1) % 8) + " order-1 given"});
}

TEST_CASE("a subscriber gets what is published from its subscription on, not what was before") {
  Local local;
  local.publish({message("t", "k", "before")});
  Received received;
  const auto subscription = local.subscribe("t", 0, received);
  local.publish({message("t", "k", "after")});
  CHECK(received.wait(1) == Entries{"t/0 k after"});
}

TEST_CASE("a full queue drops the newest messages and tells of one gap once it has drained") {
  Local local(Given{{"queue_messages", "3"}});
  Received received;
  const auto subscription = local.subscribe("t", 0, received);
  received.hold();
  local.publish({message("t", "k", "0")});
  REQUIRE(received.wait(1).size() == 1);  // the delivery thread is held: the queue is empty

  for (const char* payload : {"1", "2", "3", "4", "5"}) {
    const Outcomes outcomes = local.publish({message("t", "k", payload)});
    CHECK(outcomes.of(0) == PublishOutcome::acked);
  }
  received.release();
  CHECK(received.wait(5) == Entries{"t/0 k 0", "t/0 k 1", "t/0 k 2", "t/0 k 3", "gap"});
  local.publish({message("t", "k", "6")});
  CHECK(received.wait(6).back() == "t/0 k 6");
  CHECK(local.services.metric("vouch_broker_local_overflowed_total") == 2);
}

TEST_CASE("one subscriber that falls behind does not cost the others a message") {
  Local local(Given{{"queue_messages", "4"}});
  Received slow;
  Received other;
  const auto one = local.subscribe("slow", 0, slow);
  const auto two = local.subscribe("other", 0, other);
  slow.hold();
  local.publish({message("slow", "k", "0")});
  REQUIRE(slow.wait(1).size() == 1);
  for (int i = 0; i < 9; ++i) local.publish({message("slow", "k", "x")});
  for (int i = 0; i < 4; ++i) local.publish({message("other", "k", "y")});
  slow.release();
  CHECK(other.wait(4) == Entries(4, "other/0 k y"));
  CHECK(slow.wait(6).back() == "gap");
}

TEST_CASE("after a subscription's stop has returned its sink is not called any more") {
  Local local;
  auto received = std::make_unique<Received>();
  auto subscription = local.subscribe("t", 0, *received);
  std::atomic<bool> done{false};
  std::thread publisher([&] {
    while (!done) local.publish({message("t", "k", "x")});
  });
  received->wait(100);
  subscription->stop();
  subscription->stop();
  const std::size_t count = received->entries().size();
  std::this_thread::sleep_for(20ms);
  CHECK(received->entries().size() == count);
  received.reset();  // a late call would touch freed memory
  std::this_thread::sleep_for(20ms);
  done = true;
  publisher.join();
}

TEST_CASE("stop waits for the call of the sink that is under way") {
  Local local;
  Received received;
  auto subscription = local.subscribe("t", 0, received);
  received.hold();
  local.publish({message("t", "k", "x")});
  received.wait(1);
  std::atomic<bool> stopped{false};
  std::thread stopper([&] {
    subscription->stop();
    stopped = true;
  });
  std::this_thread::sleep_for(30ms);
  CHECK_FALSE(stopped);
  received.release();
  stopper.join();
  CHECK(stopped);
}

TEST_CASE("subscriptions made before open get their messages, and close ends deliveries") {
  Local local(Given{}, false);
  Received received;
  auto subscription = local.subscribe("t", 0, received);
  Outcomes none;
  const Message one[] = {message("t", "k", "x")};
  CHECK(local.broker.publish(one, 1s, none).code() == StatusCode::unavailable);
  CHECK(none.size() == 0);
  CHECK_FALSE(local.broker.health().ok);

  REQUIRE(local.broker.open().ok());
  CHECK(local.broker.health().ok);
  local.publish({message("t", "k", "y")});
  CHECK(received.wait(1) == Entries{"t/0 k y"});

  subscription.reset();
  local.broker.close();
  local.broker.close();
  CHECK_FALSE(local.broker.health().ok);
  CHECK(local.broker.publish(one, 1s, none).code() == StatusCode::unavailable);
}

TEST_CASE("messages of several publishers arrive in the order of each publisher") {
  Local local(Given{{"queue_messages", "100000"}});
  Received received;
  const auto subscription = local.subscribe("t", 0, received);
  constexpr int kEach = 500;
  std::vector<std::thread> publishers;
  for (const std::string key : {"a", "b", "c"}) {
    publishers.emplace_back([&local, key] {
      for (int i = 0; i < kEach; ++i) local.publish({message("t", key, std::to_string(i))});
    });
  }
  for (std::thread& publisher : publishers) publisher.join();
  const Entries entries = received.wait(3 * kEach);
  REQUIRE(entries.size() == 3 * kEach);
  for (const std::string key : {"a", "b", "c"}) {
    Entries mine;
    Entries expected;
    for (int i = 0; i < kEach; ++i) expected.push_back("t/0 " + key + " " + std::to_string(i));
    std::copy_if(entries.begin(), entries.end(), std::back_inserter(mine),
                 [&](const std::string& entry) { return entry.starts_with("t/0 " + key + " "); });
    CHECK(mine == expected);
  }
}

TEST_CASE("an idle broker does not wake up") {
  Local local;
  Received received;
  const auto subscription = local.subscribe("t", 0, received);
  local.publish({message("t", "k", "x")});
  received.wait(1);
  std::this_thread::sleep_for(20ms);
  rusage before{};
  rusage after{};
  REQUIRE(::getrusage(RUSAGE_SELF, &before) == 0);
  std::this_thread::sleep_for(300ms);
  REQUIRE(::getrusage(RUSAGE_SELF, &after) == 0);
  // This thread's own sleep is one voluntary switch; a polling thread would add dozens.
  CHECK(after.ru_nvcsw - before.ru_nvcsw <= 5);
}

}  // namespace vouch::broker_local
