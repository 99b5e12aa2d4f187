// The broker cases: publish, subscribe, ensure, close.
#include <algorithm>
#include <atomic>

#include "broker_kit.h"

namespace vouch::conformance {
namespace {

constexpr Partition kFirst{0};

std::vector<Letter> numbered(const std::string& topic, const std::string& key, int from, int to) {
  std::vector<Letter> letters;
  for (int i = from; i < to; ++i) {
    letters.push_back({topic, kFirst, key, key + ":" + std::to_string(i), {}});
  }
  return letters;
}

void acked_is_delivered(BrokerUnderTest& under_test) {
  Broker& broker = under_test.broker();
  const std::string topic = ready_topic(under_test, "acked");
  Inbox inbox;
  const auto subscription = subscribe(broker, topic, kFirst, inbox);
  const auto letters = numbered(topic, "order-1", 0, 100);
  publish_acked(broker, letters);
  const auto received = inbox.wait(letters.size());
  expect_equal("received what was acked", payloads_of(letters), payloads_of(received));
  expect_equal("a received message's topic", topic, received[0].topic);
  subscription->stop();
}

void order_within_key(BrokerUnderTest& under_test) {
  Broker& broker = under_test.broker();
  if (!broker.capabilities().ordered_by_key) throw CaseSkipped("ordered_by_key is not claimed");
  const std::string topic = ready_topic(under_test, "ordered");
  Inbox inbox;
  const auto subscription = subscribe(broker, topic, kFirst, inbox);
  // In all fewer than what a broker has to hold for a subscriber that is slow to be scheduled.
  constexpr int kCalls = 20;
  constexpr int kPerCall = 10;
  const std::vector<std::string> keys{"a", "b", "c"};
  on_threads(static_cast<std::uint32_t>(keys.size()), [&](std::uint32_t i) {
    for (int call = 0; call < kCalls; ++call) {
      publish_acked(broker, numbered(topic, keys[i], call * kPerCall, (call + 1) * kPerCall));
    }
  });
  const auto received = inbox.wait(keys.size() * kCalls * kPerCall);
  for (const std::string& key : keys) {
    int next = 0;
    for (const Letter& letter : received) {
      if (letter.payload.substr(0, 2) != key + ":") continue;
      expect_equal("next message of a key", key + ":" + std::to_string(next++), letter.payload);
    }
    expect_equal("messages of a key", kCalls * kPerCall, next);
  }
}

void keyed_partition_is_stable(BrokerUnderTest& under_test) {
  Broker& broker = under_test.broker();
  if (!broker.capabilities().ordered_by_key) throw CaseSkipped("ordered_by_key is not claimed");
  const std::string topic = ready_topic(under_test, "keyed", 1);
  Inbox inbox;
  const auto subscription = subscribe(broker, topic, kFirst, inbox);
  std::vector<Letter> letters = numbered(topic, "order-7", 0, 20);
  for (Letter& letter : letters) letter.partition.reset();
  publish_acked(broker, letters);
  expect_equal("received messages without a partition", payloads_of(letters),
               payloads_of(inbox.wait(letters.size())));
}

void several_subscribers(BrokerUnderTest& under_test) {
  Broker& broker = under_test.broker();
  const std::string topic = ready_topic(under_test, "several");
  Inbox first;
  Inbox second;
  const auto one = subscribe(broker, topic, kFirst, first);
  const auto two = subscribe(broker, topic, kFirst, second);
  const auto letters = numbered(topic, "k", 0, 20);
  publish_acked(broker, letters);
  expect_equal("the first subscriber", payloads_of(letters), payloads_of(first.wait(20)));
  expect_equal("the second subscriber", payloads_of(letters), payloads_of(second.wait(20)));
  one->stop();
  publish_acked(broker, numbered(topic, "k", 20, 30));
  expect_equal("the second after the first stopped", std::size_t{30}, second.wait(30).size());
  expect_equal("the first after it stopped", std::size_t{20}, first.received().size());
}

void partitions_are_separate(BrokerUnderTest& under_test) {
  Broker& broker = under_test.broker();
  const std::string topic = ready_topic(under_test, "partitions", 3);
  Inbox one;
  Inbox two;
  const auto first = subscribe(broker, topic, {1}, one);
  const auto second = subscribe(broker, topic, {2}, two);
  publish_acked(broker, {{topic, Partition{2}, "", "for two", {}},
                         {topic, Partition{1}, "", "for one", {}},
                         {topic, Partition{0}, "", "for nobody", {}}});
  expect_equal("received in partition 1", "for one", one.wait(1).front().payload);
  expect_equal("received in partition 2", "for two", two.wait(1).front().payload);
  std::this_thread::sleep_for(kQuiet);
  expect_equal("messages in partition 1", std::size_t{1}, one.received().size());
  expect_equal("messages in partition 2", std::size_t{1}, two.received().size());
}

void topics_are_separate(BrokerUnderTest& under_test) {
  Broker& broker = under_test.broker();
  const std::string mine = ready_topic(under_test, "mine");
  const std::string other = ready_topic(under_test, "mine.other");
  Inbox inbox;
  const auto subscription = subscribe(broker, mine, kFirst, inbox);
  publish_acked(broker, {{other, kFirst, "k", "other", {}}, {mine, kFirst, "k", "mine", {}}});
  expect_equal("received on the topic", "mine", inbox.wait(1).front().payload);
  std::this_thread::sleep_for(kQuiet);
  expect_equal("messages on the topic", std::size_t{1}, inbox.received().size());
}

void payload_is_exact(BrokerUnderTest& under_test) {
  Broker& broker = under_test.broker();
  const std::string topic = ready_topic(under_test, "bytes");
  Inbox inbox;
  const auto subscription = subscribe(broker, topic, kFirst, inbox);
  std::string every;
  for (int i = 0; i < 512; ++i) every.push_back(static_cast<char>(i));
  std::string large(200'000, '\0');
  for (std::size_t i = 0; i < large.size(); ++i) large[i] = static_cast<char>(i * 31);
  publish_acked(broker, {{topic, kFirst, "k", every, {}},
                         {topic, kFirst, "k", "", {}},
                         {topic, kFirst, "k", large, {}}});
  const auto received = inbox.wait(3);
  expect_bytes("received every byte value, twice", every, received[0].payload);
  expect_bytes("received an empty payload", "", received[1].payload);
  expect_bytes("received 200,000 bytes", large, received[2].payload);
}

void headers_are_exact(BrokerUnderTest& under_test) {
  Broker& broker = under_test.broker();
  if (!broker.capabilities().headers) throw CaseSkipped("headers are not claimed");
  const std::string topic = ready_topic(under_test, "headers");
  Inbox inbox;
  const auto subscription = subscribe(broker, topic, kFirst, inbox);
  const Letter letter{topic,
                      kFirst,
                      "order-1",
                      "{}",
                      {{"content-type", "application/json"}, {"ce-id", "0ujtsYc"}, {"empty", ""}}};
  publish_acked(broker, {letter, {topic, kFirst, "order-1", "none", {}}});
  auto received = inbox.wait(2);
  auto expected = letter.headers;
  std::sort(expected.begin(), expected.end());
  std::sort(received[0].headers.begin(), received[0].headers.end());
  for (const auto& header : expected) {
    expect(std::find(received[0].headers.begin(), received[0].headers.end(), header) !=
               received[0].headers.end(),
           "received a message with headers", header.first + ": " + header.second, "without it");
  }
  expect_equal("headers of a message with three", expected.size(), received[0].headers.size());
  expect_equal("headers of a message without", std::size_t{0}, received[1].headers.size());
}

void nobody_listens(BrokerUnderTest& under_test) {
  Broker& broker = under_test.broker();
  const std::string topic = ready_topic(under_test, "nobody");
  publish_acked(broker, numbered(topic, "k", 0, 10));
  Inbox inbox;
  const auto subscription = subscribe(broker, topic, kFirst, inbox);
  publish_acked(broker, {{topic, kFirst, "k", "from now on", {}}});
  const auto received = inbox.wait(1);
  expect_equal("received after subscribing", "from now on", received.back().payload);
  expect_equal("messages from now on", std::size_t{1}, received.size());
}

void empty_call(BrokerUnderTest& under_test) {
  Outcomes& outcomes = Outcomes::make(0);
  expect_ok("published nothing", publish(under_test.broker(), {}, outcomes));
  expect_equal("outcomes of nothing", std::size_t{0}, outcomes.heard());
}

void stop_is_a_barrier(BrokerUnderTest& under_test) {
  Broker& broker = under_test.broker();
  const std::string topic = ready_topic(under_test, "stop");
  Inbox inbox;
  const auto subscription = subscribe(broker, topic, kFirst, inbox);
  inbox.be_slow(std::chrono::milliseconds(100));
  publish_acked(broker, numbered(topic, "k", 0, 50));
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!inbox.busy()) {
    expect(std::chrono::steady_clock::now() < deadline, "published to a slow sink", "a call",
           "none within 10 s");
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  subscription->stop();
  expect(!inbox.busy(), "stopped while the sink was called",
         "stop to return when the call has ended", "a return while it went on");
  const std::size_t count = inbox.received().size();
  publish_acked(broker, numbered(topic, "k", 50, 60));
  std::this_thread::sleep_for(kQuiet);
  expect_equal("messages after stop returned", count, inbox.received().size());
  subscription->stop();
}

void destruction_stops(BrokerUnderTest& under_test) {
  Broker& broker = under_test.broker();
  const std::string topic = ready_topic(under_test, "destroyed");
  Inbox kept;
  const auto other = subscribe(broker, topic, kFirst, kept);
  {
    const auto inbox = std::make_unique<Inbox>();
    const auto subscription = subscribe(broker, topic, kFirst, *inbox);
  }
  publish_acked(broker, numbered(topic, "k", 0, 5));
  kept.wait(5);
}

void gap_on_overflow(BrokerUnderTest& under_test) {
  const std::size_t count = under_test.more_than_subscription();
  Broker& broker = under_test.broker();
  const std::string topic = ready_topic(under_test, "overflow");
  Inbox inbox;
  const auto subscription = subscribe(broker, topic, kFirst, inbox);
  inbox.be_slow(std::chrono::milliseconds(30'000));
  constexpr std::size_t kPerCall = 500;
  for (std::size_t done = 0; done < count; done += kPerCall) {
    publish_acked(broker, numbered(topic, "k", static_cast<int>(done),
                                   static_cast<int>(std::min(count, done + kPerCall))));
  }
  inbox.wake();
  expect(inbox.wait_gap(), "published more than a slow subscriber takes", "a gap", "none");
  int last = -1;
  for (const Letter& letter : inbox.received()) {
    const int number = number_of(letter);
    expect(number > last, "received around a gap", "messages behind k:" + std::to_string(last),
           letter.payload);
    last = number;
  }
}

void deadline_is_unknown(BrokerUnderTest& under_test) {
  Broker& broker = under_test.broker();
  const std::string topic = ready_topic(under_test, "deadline");
  publish_acked(broker, numbered(topic, "k", 0, 1));
  under_test.withhold();
  const auto begin = std::chrono::steady_clock::now();
  Outcomes& outcomes = Outcomes::make(3);
  const Status status =
      publish(broker, numbered(topic, "k", 1, 4), outcomes, std::chrono::milliseconds(200));
  const auto returned = std::chrono::steady_clock::now() - begin;
  expect_ok("published while acknowledgements are withheld", status);
  expect(returned < std::chrono::milliseconds(150), "published while they are withheld",
         "publish not to wait", "a wait");
  for (const PublishOutcome outcome : outcomes.all()) {
    expect_equal("the deadline passed", PublishOutcome::unknown, outcome);
  }
  under_test.release();
  publish_acked(broker, numbered(topic, "k", 4, 5));
}

void overloaded(BrokerUnderTest& under_test) {
  const std::size_t count = under_test.more_than_buffer();
  Broker& broker = under_test.broker();
  const std::string topic = ready_topic(under_test, "overloaded");
  under_test.withhold();
  constexpr std::size_t kPerCall = 500;
  std::vector<Outcomes*> calls;
  Status status;
  for (std::size_t done = 0; done < count && status.ok(); done += kPerCall) {
    Outcomes& outcomes = Outcomes::make(kPerCall);
    const int from = static_cast<int>(done);
    status = publish(broker, numbered(topic, "k", from, from + static_cast<int>(kPerCall)),
                     outcomes, std::chrono::minutes(2));
    if (status.ok()) calls.push_back(&outcomes);
    if (!status.ok()) expect_equal("outcomes of a refused call", std::size_t{0}, outcomes.heard());
  }
  expect_code("published more than the buffer takes", StatusCode::overloaded, status);
  under_test.release();
  for (Outcomes* outcomes : calls) outcomes->all();
  publish_acked(broker, numbered(topic, "k", 0, 1));
}

void close_gives_unknown(BrokerUnderTest& under_test) {
  Broker& broker = under_test.broker();
  const std::string topic = ready_topic(under_test, "closed");
  under_test.withhold();
  Outcomes& outcomes = Outcomes::make(2);
  expect_ok("published", publish(broker, numbered(topic, "k", 0, 2), outcomes));
  under_test.close();
  expect_equal("outcomes when close returned", std::size_t{2}, outcomes.heard());
  for (const PublishOutcome outcome : outcomes.all()) {
    expect_equal("closed with messages in flight", PublishOutcome::unknown, outcome);
  }
}

void close_refuses_afterwards(BrokerUnderTest& under_test) {
  Broker& broker = under_test.broker();
  const std::string topic = ready_topic(under_test, "after-close");
  publish_acked(broker, numbered(topic, "k", 0, 1));
  under_test.close();
  broker.close();
  Outcomes& none = Outcomes::make(1);
  const Status status = publish(broker, numbered(topic, "k", 1, 2), none);
  expect_code("published after close", StatusCode::unavailable, status);
  expect_equal("outcomes after close", std::size_t{0}, none.heard());
  expect(!broker.health().ok, "asked a closed broker for health", "not ok", "ok");
}

void ensure_accepts_and_refuses(BrokerUnderTest& under_test) {
  Broker& broker = under_test.broker();
  const std::vector<TopicSpec> good{{under_test.topic("ensured.one"), 1},
                                    {under_test.topic("ensured.eight"), 8}};
  expect_ok("ensured two topics", broker.ensure(good, kPatience));
  expect_ok("ensured them again", broker.ensure(good, kPatience));
  expect_ok("ensured nothing", broker.ensure({}, kPatience));
  const TopicSpec nameless{"", 1};
  const Status status = broker.ensure(std::span<const TopicSpec>(&nameless, 1), kPatience);
  expect(!status.ok() && !status.message().empty(), "ensured a topic without a name",
         "a refusal in words", status.to_string());
  expect(broker.health().ok, "asked for health", "ok", broker.health().detail);
  expect(!broker.guarantees().empty(), "asked what an acknowledgement survives", "words", "none");
}

constexpr BrokerCase kCases[] = {
    {"broker.ensure.accepts_and_refuses", "Topics are made ready; a nameless one is refused.",
     ensure_accepts_and_refuses},
    {"broker.publish.acked_is_delivered", "What is acked reaches a subscriber, in order.",
     acked_is_delivered},
    {"broker.publish.order_within_key", "Messages of a key arrive in the order published.",
     order_within_key},
    {"broker.publish.partition_by_key", "Without a partition the key chooses one.",
     keyed_partition_is_stable},
    {"broker.publish.payload_is_exact", "All byte values, nothing, and 200,000 bytes arrive.",
     payload_is_exact},
    {"broker.publish.headers_are_exact", "Headers arrive as they were given.", headers_are_exact},
    {"broker.publish.nobody_listens", "Publishing without a subscriber is not an error.",
     nobody_listens},
    {"broker.publish.empty_call", "Publishing nothing is not an error.", empty_call},
    {"broker.publish.deadline_is_unknown",
     "Without an acknowledgement the deadline gives `unknown`; publish does not wait.",
     deadline_is_unknown},
    {"broker.publish.overloaded", "A full buffer refuses at once.", overloaded},
    {"broker.subscribe.several_subscribers", "Each subscriber gets every message.",
     several_subscribers},
    {"broker.subscribe.partitions_are_separate", "A subscription gets its partition only.",
     partitions_are_separate},
    {"broker.subscribe.topics_are_separate", "A subscription gets its topic only.",
     topics_are_separate},
    {"broker.subscribe.stop_is_a_barrier", "After stop returned the sink is not called.",
     stop_is_a_barrier},
    {"broker.subscribe.destruction_stops", "A destroyed subscription hinders nobody.",
     destruction_stops},
    {"broker.subscribe.gap_on_overflow", "A subscriber that was too slow is told of the gap.",
     gap_on_overflow},
    {"broker.close.gives_unknown", "close gives `unknown` to what has no outcome.",
     close_gives_unknown},
    {"broker.close.refuses_afterwards",
     "A closed broker takes nothing; a second close is harmless.", close_refuses_afterwards},
};

}  // namespace

std::vector<BrokerCase> broker_cases() {
  std::vector<BrokerCase> all(std::begin(kCases), std::end(kCases));
  const std::span<const BrokerCase> faults = broker_fault_cases();
  all.insert(all.end(), faults.begin(), faults.end());
  return all;
}

}  // namespace vouch::conformance
