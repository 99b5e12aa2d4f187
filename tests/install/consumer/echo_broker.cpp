#include "echo_broker.h"

#include <algorithm>

namespace echo {

using vouch::messaging::Inbox;
using vouch::messaging::StoredMessage;

class EchoBroker::EchoSubscription final : public vouch::Subscription {
 public:
  EchoSubscription(EchoBroker& broker, Place place, std::shared_ptr<Inbox> inbox)
      : broker_(broker), place_(std::move(place)), inbox_(std::move(inbox)) {}
  ~EchoSubscription() override { EchoSubscription::stop(); }

  void stop() override {
    broker_.unsubscribe(place_, inbox_);
    broker_.deliverer_.detach(*inbox_);
  }

 private:
  EchoBroker& broker_;
  const Place place_;
  const std::shared_ptr<Inbox> inbox_;
};

EchoBroker::EchoBroker(std::size_t queue_messages, vouch::HostServices& services)
    : deliverer_("broker_echo", queue_messages, services) {}

EchoBroker::~EchoBroker() = default;

vouch::Status EchoBroker::open() {
  deliverer_.start();
  return {};
}

void EchoBroker::close() {
  deliverer_.stop();
}

vouch::Health EchoBroker::health() {
  return {true, "echoes"};
}

vouch::BrokerCapabilities EchoBroker::capabilities() const {
  vouch::BrokerCapabilities capabilities;
  capabilities.headers = true;
  capabilities.ordered_by_key = true;
  return capabilities;
}

std::string EchoBroker::guarantees() const {
  return "A message reaches those who subscribe to it in this process.";
}

vouch::Status EchoBroker::ensure(std::span<const vouch::TopicSpec> /*topics*/,
                                 std::chrono::milliseconds /*wait*/) {
  return {};
}

vouch::Status EchoBroker::publish(std::span<const vouch::Message> messages,
                                  std::chrono::milliseconds /*deadline*/,
                                  vouch::PublishSink& sink) {
  {
    const std::lock_guard lock(mutex_);
    for (const vouch::Message& message : messages) {
      const vouch::Partition partition = message.partition.value_or(vouch::Partition{0});
      const auto found = subscribers_.find({std::string(message.topic), partition});
      if (found == subscribers_.end()) continue;
      const auto stored = std::make_shared<const StoredMessage>(message, partition);
      for (const auto& inbox : found->second) deliverer_.put(*inbox, stored);
    }
  }
  for (std::size_t i = 0; i < messages.size(); ++i) {
    sink.published(i, vouch::PublishOutcome::acked, {});
  }
  return {};
}

vouch::Result<std::unique_ptr<vouch::Subscription>> EchoBroker::subscribe(
    std::string_view topic, vouch::Partition partition, vouch::MessageSink& sink) {
  Place place{std::string(topic), partition};
  auto inbox = std::make_shared<Inbox>(sink, place.first);
  {
    const std::lock_guard lock(mutex_);
    subscribers_[place].push_back(inbox);
  }
  return std::unique_ptr<vouch::Subscription>(
      std::make_unique<EchoSubscription>(*this, std::move(place), std::move(inbox)));
}

void* EchoBroker::query(std::string_view /*interface_id*/) {
  return nullptr;
}

void EchoBroker::unsubscribe(const Place& place, const std::shared_ptr<Inbox>& inbox) {
  const std::lock_guard lock(mutex_);
  std::erase(subscribers_[place], inbox);
}

}  // namespace echo
