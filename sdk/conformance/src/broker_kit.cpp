// The broker cases' tools; see the header.
#include "broker_kit.h"

#include <algorithm>
#include <charconv>

namespace vouch::conformance {
namespace {

constexpr const char* kProbe = "vouch conformance probe";

}  // namespace

Outcomes& Outcomes::make(std::size_t messages) {
  static std::mutex mutex;
  static std::vector<std::unique_ptr<Outcomes>> all;
  const std::lock_guard lock(mutex);
  all.push_back(std::make_unique<Outcomes>(messages));
  return *all.back();
}

void Outcomes::published(std::size_t index, PublishOutcome outcome, const Status& why) {
  const std::lock_guard lock(mutex_);
  if (index >= outcomes_.size() || outcomes_[index]) {
    twice_ = true;
  } else {
    outcomes_[index] = outcome;
    why_[index] = why;
    ++heard_;
  }
  changed_.notify_all();
}

std::vector<PublishOutcome> Outcomes::all(std::chrono::milliseconds limit) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, limit, [&] { return twice_ || heard_ == outcomes_.size(); });
  expect(!twice_, "published", "one outcome for each message", "two for one");
  expect_equal("published, outcomes heard in time", outcomes_.size(), heard_);
  std::vector<PublishOutcome> outcomes;
  for (const auto& outcome : outcomes_) outcomes.push_back(*outcome);
  return outcomes;
}

Status Outcomes::why(std::size_t index) const {
  const std::lock_guard lock(mutex_);
  return why_.at(index);
}

std::size_t Outcomes::heard() const {
  const std::lock_guard lock(mutex_);
  return heard_;
}

void Inbox::message(const Message& message) {
  std::unique_lock lock(mutex_);
  if (message.payload == kProbe) {
    alive_ = true;
    return;
  }
  Letter letter{std::string(message.topic),
                message.partition,
                std::string(message.key),
                std::string(message.payload),
                {}};
  for (const Header& header : message.headers) {
    letter.headers.emplace_back(header.name, header.value);
  }
  const auto pause = pause_;
  pause_ = std::chrono::milliseconds(0);
  if (pause.count() > 0) {
    busy_ = true;
    changed_.notify_all();
    changed_.wait_for(lock, pause, [&] { return woken_; });
    busy_ = false;
  }
  received_.push_back(std::move(letter));
  changed_.notify_all();
}

void Inbox::gap() {
  const std::lock_guard lock(mutex_);
  ++gaps_;
  changed_.notify_all();
}

std::vector<Letter> Inbox::wait(std::size_t count, std::chrono::milliseconds limit) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, limit, [&] { return received_.size() >= count; });
  expect(received_.size() >= count, "waited for " + std::to_string(count) + " messages",
         "all of them", std::to_string(received_.size()));
  return received_;
}

std::vector<Letter> Inbox::received() const {
  const std::lock_guard lock(mutex_);
  return received_;
}

bool Inbox::wait_gap(std::chrono::milliseconds limit) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, limit, [&] { return gaps_ > 0; });
}

void Inbox::be_slow(std::chrono::milliseconds pause) {
  const std::lock_guard lock(mutex_);
  pause_ = pause;
  woken_ = false;
}

void Inbox::wake() {
  const std::lock_guard lock(mutex_);
  woken_ = true;
  changed_.notify_all();
}

bool Inbox::alive() const {
  const std::lock_guard lock(mutex_);
  return alive_;
}

bool Inbox::busy() const {
  const std::lock_guard lock(mutex_);
  return busy_;
}

Status publish(Broker& broker, const std::vector<Letter>& letters, PublishSink& sink,
               std::chrono::milliseconds deadline) {
  std::vector<std::vector<Header>> headers(letters.size());
  std::vector<Message> messages;
  for (std::size_t i = 0; i < letters.size(); ++i) {
    for (const auto& [name, value] : letters[i].headers) headers[i].push_back({name, value});
    messages.push_back(
        {letters[i].topic, letters[i].partition, letters[i].key, headers[i], letters[i].payload});
  }
  return broker.publish(messages, deadline, sink);
}

void publish_acked(Broker& broker, const std::vector<Letter>& letters) {
  Outcomes& outcomes = Outcomes::make(letters.size());
  expect_ok("published", publish(broker, letters, outcomes));
  const std::vector<PublishOutcome> all = outcomes.all();
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i] == PublishOutcome::acked) continue;
    throw ConformanceFailure("published to a broker that is well", describe(PublishOutcome::acked),
                             describe(all[i]) + ", " + outcomes.why(i).to_string());
  }
}

std::unique_ptr<Subscription> subscribe(Broker& broker, const std::string& topic,
                                        Partition partition, Inbox& inbox) {
  auto subscription =
      expect_value("subscribed to " + topic, broker.subscribe(topic, partition, inbox));
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (!inbox.alive()) {
    expect(std::chrono::steady_clock::now() < deadline, "probed a subscription to " + topic,
           "a delivery", "none");
    publish_acked(broker, {{topic, partition, "", kProbe, {}}});
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return subscription;
}

std::string ready_topic(BrokerUnderTest& under_test, const std::string& name,
                        std::uint32_t partitions) {
  const TopicSpec topic{under_test.topic(name), partitions};
  expect_ok("made a topic ready",
            under_test.broker().ensure(std::span<const TopicSpec>(&topic, 1), kPatience));
  return topic.name;
}

std::vector<std::string> payloads_of(const std::vector<Letter>& letters) {
  std::vector<std::string> payloads;
  for (const Letter& letter : letters) payloads.push_back(letter.payload);
  return payloads;
}

int number_of(const Letter& letter) {
  const std::string_view payload = letter.payload;
  const std::string_view digits =
      payload.substr(std::min(payload.find(':'), payload.size() - 1) + 1);
  int number = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  expect(!digits.empty() && read.ec == std::errc() && read.ptr == digits.data() + digits.size(),
         "received a numbered message", "a payload that was published, such as k:17",
         describe(letter.payload));
  return number;
}

}  // namespace vouch::conformance
