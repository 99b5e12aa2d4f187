// The broker cases about what goes wrong: refusals, broken connections, a broker that dies, ends in
// the middle of work.
#include <algorithm>
#include <atomic>
#include <map>

#include "broker_kit.h"

namespace vouch::conformance {
namespace {

constexpr Partition kFirst{0};

/// Publishes as a host does: one call at a time, and what was not acknowledged again, from the
/// first such message of each key on, until everything is.
void publish_like_a_host(Broker& broker, std::vector<Letter> letters) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!letters.empty()) {
    expect(std::chrono::steady_clock::now() < deadline, "published across faults",
           "acknowledgements in the end", "none within a minute");
    Outcomes& outcomes = Outcomes::make(letters.size());
    const Status status = publish(broker, letters, outcomes, std::chrono::milliseconds(1'000));
    if (!status.ok()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      continue;
    }
    const std::vector<PublishOutcome> all = outcomes.all();
    std::vector<Letter> again;
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (all[i] != PublishOutcome::acked) again.push_back(std::move(letters[i]));
    }
    letters = std::move(again);
  }
}

/// The first occurrences of each key's numbers must rise by one, if no gap was told.
void expect_in_order(const std::vector<Letter>& received, bool complete, int count) {
  std::map<std::string, int> next;
  for (const Letter& letter : received) {
    const std::size_t colon = letter.payload.find(':');
    const std::string key = letter.payload.substr(0, colon);
    const int number = number_of(letter);
    int& wanted = next[key];
    if (number < wanted) continue;  // published again
    if (complete) expect_equal("first occurrence of a key's next message", wanted, number);
    wanted = number + 1;
  }
  if (!complete) return;
  for (const auto& [key, last] : next) expect_equal("messages of key " + key, count, last);
}

void in_order_across(BrokerUnderTest& under_test, const std::string& name, int faults,
                     const std::function<void()>& fault) {
  Broker& broker = under_test.broker();
  if (!broker.capabilities().ordered_by_key) throw CaseSkipped("ordered_by_key is not claimed");
  const std::string topic = ready_topic(under_test, name);
  Inbox inbox;
  const auto subscription = subscribe(broker, topic, kFirst, inbox);
  constexpr int kCalls = 120;
  constexpr int kPerCall = 5;
  std::atomic<int> done{0};
  CaseThreads writer;
  writer.start([&] {
    for (int call = 0; call < kCalls; ++call, ++done) {
      std::vector<Letter> letters;
      for (int i = call * kPerCall; i < (call + 1) * kPerCall; ++i) {
        for (const std::string key : {"a", "b"}) {
          letters.push_back({topic, kFirst, key, key + ":" + std::to_string(i), {}});
        }
      }
      publish_like_a_host(broker, std::move(letters));
    }
  });
  std::optional<CaseSkipped> skipped;
  for (int i = 1; i <= faults && !skipped; ++i) {
    while (done.load() < i * kCalls / (faults + 1) && !writer.failed()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    try {
      fault();
    } catch (const CaseSkipped& reason) {
      skipped = reason;
    }
  }
  writer.join();
  if (skipped) throw CaseSkipped(*skipped);
  // A subscriber may miss messages while it is not connected, and is told so.
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  const auto complete = [&] {
    const auto received = inbox.received();
    return std::count_if(received.begin(), received.end(), [&](const Letter& letter) {
             return letter.payload.ends_with(":" + std::to_string(kCalls * kPerCall - 1));
           }) >= 2;
  };
  while (!complete() && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  expect_in_order(inbox.received(), !inbox.wait_gap(kQuiet), kCalls * kPerCall);
}

void order_across_cuts(BrokerUnderTest& under_test) {
  in_order_across(under_test, "cuts", 5, [&] { under_test.cut(); });
}

void order_across_restarts(BrokerUnderTest& under_test) {
  in_order_across(under_test, "restarts", 2, [&] { under_test.restart(); });
}

void lost_subscription_is_told(BrokerUnderTest& under_test) {
  Broker& broker = under_test.broker();
  const std::string topic = ready_topic(under_test, "lost");
  Inbox inbox;
  const auto subscription = subscribe(broker, topic, kFirst, inbox);
  under_test.cut();
  std::vector<Letter> letters;
  for (int i = 0; i < 50; ++i)
    letters.push_back({topic, kFirst, "k", "k:" + std::to_string(i), {}});
  publish_like_a_host(broker, letters);
  if (inbox.wait_gap(std::chrono::seconds(3))) return;
  expect_in_order(inbox.wait(50), true, 50);
}

void comes_back_by_itself(BrokerUnderTest& under_test) {
  Broker& broker = under_test.broker();
  const std::string topic = ready_topic(under_test, "back");
  Inbox inbox;
  const auto subscription = subscribe(broker, topic, kFirst, inbox);
  under_test.restart();
  publish_like_a_host(broker, {{topic, kFirst, "k", "k:0", {}}});
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!broker.health().ok && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  expect(broker.health().ok, "asked for health after a restart", "ok", broker.health().detail);
  // The subscription as well.
  while (inbox.received().empty() && std::chrono::steady_clock::now() < deadline) {
    publish_like_a_host(broker, {{topic, kFirst, "k", "k:1", {}}});
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  expect(!inbox.received().empty(), "published after a restart", "a message", "none");
}

void refusals_for_good(BrokerUnderTest& under_test) {
  Broker& broker = under_test.broker();
  const std::string topic = ready_topic(under_test, "refusals");
  Outcomes& large = Outcomes::make(1);
  expect_ok("published",
            publish(broker, {{topic, kFirst, "k", under_test.oversized(), {}}}, large));
  expect_equal("too large", PublishOutcome::rejected, large.all()[0]);
  expect(!large.why(0).message().empty(), "refused a large message", "the reason in words", "none");
  Outcomes& illegal = Outcomes::make(1);
  expect_ok("published",
            publish(broker, {{under_test.refused_topic(), std::nullopt, "k", "x", {}}}, illegal));
  expect_equal("an illegal topic", PublishOutcome::rejected, illegal.all()[0]);
  expect(!illegal.why(0).message().empty(), "refused a topic", "the reason in words", "none");
  publish_acked(broker, {{topic, kFirst, "k", "k:0", {}}});
}

void failed_message_fails_its_successors(BrokerUnderTest& under_test) {
  Broker& broker = under_test.broker();
  const std::string topic = ready_topic(under_test, "successors");
  Inbox inbox;
  const auto subscription = subscribe(broker, topic, kFirst, inbox);
  Outcomes& outcomes = Outcomes::make(6);
  expect_ok("published", publish(broker,
                                 {{topic, kFirst, "a", "a:0", {}},
                                  {topic, kFirst, "b", "b:0", {}},
                                  {topic, kFirst, "a", under_test.oversized(), {}},
                                  {topic, kFirst, "a", "a:2", {}},
                                  {topic, kFirst, "b", "b:1", {}},
                                  {topic, kFirst, "a", "a:3", {}}},
                                 outcomes));
  const auto all = outcomes.all();
  expect_equal("before the refused one", PublishOutcome::acked, all[0]);
  expect_equal("the refused one", PublishOutcome::rejected, all[2]);
  expect(all[3] != PublishOutcome::acked && all[5] != PublishOutcome::acked,
         "published behind a refused message of the same key", "not acked", "acked");
  expect_equal("another key", PublishOutcome::acked, all[1]);
  expect_equal("another key, behind it", PublishOutcome::acked, all[4]);
  // What a host publishes of that key next must not come behind what followed the refused one.
  publish_acked(broker, {{topic, kFirst, "a", "a:1", {}}});
  for (const Letter& letter : inbox.wait(4)) {
    expect(letter.payload != "a:2" && letter.payload != "a:3",
           "received what was behind a refused message of the same key", "nothing of it",
           letter.payload);
  }
}

void large_payload(BrokerUnderTest& under_test) {
  Broker& broker = under_test.broker();
  constexpr std::size_t kBytes = 900'000;
  const std::uint64_t most = broker.capabilities().max_message_bytes;
  if (most != 0 && most < kBytes + 4'096) throw CaseSkipped("max_message_bytes is small");
  const std::string topic = ready_topic(under_test, "large");
  Inbox inbox;
  const auto subscription = subscribe(broker, topic, kFirst, inbox);
  std::string payload(kBytes, '\0');
  for (std::size_t i = 0; i < payload.size(); ++i) payload[i] = static_cast<char>(i * 131 + i / 7);
  publish_acked(broker, {{topic, kFirst, "k", payload, {}}});
  expect_bytes("received 900,000 bytes", payload, inbox.wait(1)[0].payload);
}

void stop_while_messages_stream(BrokerUnderTest& under_test) {
  Broker& broker = under_test.broker();
  const std::string topic = ready_topic(under_test, "streaming");
  std::atomic<bool> over{false};
  CaseThreads writer;
  writer.start([&] {
    for (int i = 0; !over.load(); ++i) {
      Outcomes& outcomes = Outcomes::make(1);
      const Letter letter{topic, kFirst, "k", "k:" + std::to_string(i), {}};
      if (publish(broker, {letter}, outcomes).ok()) outcomes.all();
    }
  });
  try {
    for (int round = 0; round < 10; ++round) {
      Inbox inbox;
      const auto subscription = subscribe(broker, topic, kFirst, inbox);
      subscription->stop();
      const std::size_t count = inbox.received().size();
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
      expect_equal("messages after stop returned", count, inbox.received().size());
    }
  } catch (...) {
    over = true;
    throw;
  }
  over = true;
  writer.join();
}

void close_while_publishing(BrokerUnderTest& under_test) {
  Broker& broker = under_test.broker();
  const std::string topic = ready_topic(under_test, "closing");
  publish_acked(broker, {{topic, kFirst, "k", "k:0", {}}});
  constexpr int kThreads = 3;
  std::atomic<int> begun{0};
  CaseThreads writers;
  for (int n = 0; n < kThreads; ++n) {
    writers.start([&, n] {
      for (bool open = true; open;) {
        Outcomes& outcomes = Outcomes::make(20);
        std::vector<Letter> letters;
        for (int i = 0; i < 20; ++i) {
          letters.push_back({topic, kFirst, std::to_string(n), std::to_string(i), {}});
        }
        open = publish(broker, letters, outcomes).ok();
        ++begun;
        // Whoever was taken hears exactly one outcome for each message.
        if (open) outcomes.all();
      }
    });
  }
  while (begun.load() < kThreads * 3 && !writers.failed()) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  under_test.close();
  writers.join();
}

constexpr BrokerCase kCases[] = {
    {"broker.publish.refusals_for_good", "What can never be taken is rejected, with the reason.",
     refusals_for_good},
    {"broker.publish.failed_message_fails_its_successors",
     "Behind a message that is not acked nothing of its key is acked or taken.",
     failed_message_fails_its_successors},
    {"broker.publish.large_payload", "900,000 bytes arrive as they were given.", large_payload},
    {"broker.fault.order_across_cuts",
     "Across broken connections first occurrences of a key stay in order.", order_across_cuts},
    {"broker.fault.order_across_restarts",
     "Across deaths of the broker first occurrences of a key stay in order.",
     order_across_restarts},
    {"broker.fault.lost_subscription_is_told",
     "A subscriber whose connection broke misses nothing, or hears of a gap.",
     lost_subscription_is_told},
    {"broker.fault.comes_back_by_itself",
     "After the broker's return publishing and subscriptions work again.", comes_back_by_itself},
    {"broker.subscribe.stop_while_messages_stream",
     "After stop returned the sink is not called, however much streams in.",
     stop_while_messages_stream},
    {"broker.close.while_publishing",
     "Whoever publishes while the broker closes hears one outcome for each message.",
     close_while_publishing},
};

}  // namespace

std::span<const BrokerCase> broker_fault_cases() {
  return kCases;
}

}  // namespace vouch::conformance
