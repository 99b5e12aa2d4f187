#include "outbound_consumer.h"

#include <charconv>
#include <fstream>

#include "json_object_view.h"

namespace vouch::prove {
namespace {

constexpr std::chrono::milliseconds kBetweenProbes{200};
constexpr std::chrono::milliseconds kProbeDeadline{5'000};

std::uint64_t number_of(const std::string& text) {
  std::uint64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

}  // namespace

EventSeen outbound_event(std::string_view payload, std::span<const Header> headers) {
  EventSeen event;
  for (const Header& header : headers) {
    if (header.name == "id") event.id = header.value;
    if (header.name == "subject") event.stream = header.value;
    if (header.name == "sequence") event.version = number_of(std::string(header.value));
  }
  const JsonObjectView body(payload);
  if (!event.id.empty()) {
    event.mark = body.text("mark");
    return event;
  }
  return {body.text("id"), body.text("subject"), number_of(body.text("sequence")),
          body.object("data").text("mark")};
}

OutboundConsumer::OutboundConsumer(std::string label, std::string probe, Counts& counts)
    : label_(std::move(label)), probe_(std::move(probe)), counts_(counts) {}

OutboundConsumer::~OutboundConsumer() {
  stop();
}

void OutboundConsumer::stop() {
  for (const auto& subscription : subscriptions_) subscription->stop();
  subscriptions_.clear();
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return on_the_way_ == 0; });
}

Status OutboundConsumer::follow(Broker& broker, const std::set<std::string>& topics,
                                std::chrono::milliseconds patience) {
  std::vector<TopicSpec> specs;
  for (const std::string& topic : topics) specs.push_back({topic, 1});
  if (Status status = broker.ensure(specs, patience); !status.ok()) return status;
  silent_ = topics;
  for (const std::string& topic : topics) {
    auto subscription = broker.subscribe(topic, Partition{0}, *this);
    if (!subscription.ok()) return subscription.status();
    subscriptions_.push_back(std::move(subscription).value());
  }
  if (Status status = probe_all(broker, patience); !status.ok()) return status;
  const std::lock_guard lock(mutex_);
  following_ = true;
  return {};
}

Status OutboundConsumer::probe_all(Broker& broker, std::chrono::milliseconds patience) {
  const auto until = std::chrono::steady_clock::now() + patience;
  std::unique_lock lock(mutex_);
  while (!silent_.empty()) {
    if (std::chrono::steady_clock::now() > until) {
      return {StatusCode::unavailable, "nothing that is published on " + *silent_.begin() +
                                           " comes back" +
                                           (problem_.empty() ? "" : ": " + problem_)};
    }
    if (on_the_way_ == 0) {
      const std::vector<std::string> topics(silent_.begin(), silent_.end());
      std::vector<Message> messages;
      for (const std::string& topic : topics) {
        messages.push_back({topic, std::nullopt, probe_, {}, probe_});
      }
      on_the_way_ = messages.size();
      lock.unlock();
      const Status sent = broker.publish(messages, kProbeDeadline, *this);
      lock.lock();
      if (!sent.ok()) {
        on_the_way_ = 0;
        problem_ = sent.message();
      }
    }
    changed_.wait_for(lock, kBetweenProbes);
  }
  return {};
}

void OutboundConsumer::published(std::size_t /*index*/, PublishOutcome outcome, const Status& why) {
  const std::lock_guard lock(mutex_);
  --on_the_way_;
  if (outcome != PublishOutcome::acked) problem_ = why.message();
  changed_.notify_all();
}

void OutboundConsumer::message(const Message& message) {
  const std::string topic(message.topic);
  if (message.payload == probe_) {
    const std::lock_guard lock(mutex_);
    silent_.erase(topic);
    changed_.notify_all();
    return;
  }
  take(topic, outbound_event(message.payload, message.headers));
}

void OutboundConsumer::gap() {
  const std::lock_guard lock(mutex_);
  if (following_) ++gaps_;
}

void OutboundConsumer::take(const std::string& topic, EventSeen event) {
  const std::lock_guard lock(mutex_);
  distinct_.insert(topic + ' ' + event.id);
  messages_.push_back({label_ + topic, std::move(event)});
  ++counts_.seen;
}

Status OutboundConsumer::read_tap(const std::string& file, const std::set<std::string>& topics) {
  std::ifstream in(file, std::ios::binary);
  if (!in) return {StatusCode::unavailable, "can't read " + file};
  std::string line;
  while (std::getline(in, line) && !in.eof()) {
    const JsonObjectView message(line);
    if (!message.valid() || !topics.contains(message.text("topic"))) continue;
    const std::string payload = message.text("payload");
    std::vector<std::pair<std::string, std::string>> texts;
    const JsonObjectView given = message.object("headers");
    for (const char* name : {"id", "subject", "sequence"}) {
      if (std::string value = given.text(name); !value.empty()) {
        texts.emplace_back(name, std::move(value));
      }
    }
    std::vector<Header> headers;
    for (const auto& [name, value] : texts) headers.push_back({name, value});
    take(message.text("topic"), outbound_event(payload, headers));
  }
  return {};
}

std::uint64_t OutboundConsumer::distinct() const {
  const std::lock_guard lock(mutex_);
  return distinct_.size();
}

std::vector<Outbound> OutboundConsumer::messages() const {
  const std::lock_guard lock(mutex_);
  return messages_;
}

std::uint64_t OutboundConsumer::gaps() const {
  const std::lock_guard lock(mutex_);
  return gaps_;
}

}  // namespace vouch::prove
