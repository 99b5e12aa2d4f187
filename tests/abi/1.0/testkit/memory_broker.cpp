// MemoryBroker: one host's connection to a MemoryExchange. Publishes end inside `publish` unless a
// stall sends them to HeldMessages.
#include "vouch/testkit/memory_broker.h"

#include <atomic>
#include <set>
#include <stdexcept>
#include <utility>

#include "held_messages.h"

namespace vouch::testkit {
namespace {

class MemorySubscription final : public Subscription {
 public:
  MemorySubscription(MemoryExchange::Impl& exchange, std::shared_ptr<MemoryFeed> feed)
      : exchange_(exchange), feed_(std::move(feed)) {}
  ~MemorySubscription() override { MemorySubscription::stop(); }
  void stop() override {
    exchange_.unsubscribe(*feed_);
    feed_->stop();
  }

 private:
  MemoryExchange::Impl& exchange_;
  std::shared_ptr<MemoryFeed> feed_;
};

}  // namespace

class MemoryBroker::Impl {
 public:
  explicit Impl(MemoryExchange& owner) : exchange(owner.impl()) {}

  Status usable() const {
    if (open.load()) return {};
    return {StatusCode::unavailable, "the broker is not open"};
  }
  void publish(std::span<const Message> messages, std::chrono::milliseconds deadline,
               PublishSink& sink);

  MemoryExchange::Impl& exchange;
  std::atomic<bool> open{false};
  std::atomic<std::uint64_t> calls{0};
  std::unique_ptr<HeldMessages> held;  ///< while open
};

void MemoryBroker::Impl::publish(std::span<const Message> messages,
                                 std::chrono::milliseconds deadline, PublishSink& sink) {
  const std::uint64_t call = ++calls;
  const auto until = std::chrono::steady_clock::now() + deadline;
  std::set<std::pair<std::string_view, std::string_view>> failed;
  for (std::size_t i = 0; i < messages.size(); ++i) {
    const Message& message = messages[i];
    const auto key = std::pair(message.topic, message.key);
    if (failed.contains(key)) {
      sink.published(i, PublishOutcome::unknown,
                     {StatusCode::unavailable, "an earlier message of its key failed"});
      continue;
    }
    TakenMessage taken = own(message);
    if (held->holds(taken)) {
      held->add({std::move(taken), call, i, until, &sink, std::nullopt});
      continue;
    }
    const Step step =
        exchange.is_validation(message.topic) ? Step::publish_validation : Step::publish_outbound;
    const Faults::Taken fault = exchange.faults().take(step);
    if (fault.fault == Fault::throw_exception) throw std::runtime_error("told to throw");
    if (fault.fault == Fault::stall) {
      held->add({std::move(taken), call, i, until, &sink, fault});
      continue;
    }
    const Passed passed = publish_one(exchange, taken, fault.fault);
    if (passed.outcome != PublishOutcome::acked) failed.insert(key);
    sink.published(i, passed.outcome, passed.why);
  }
}

MemoryBroker::MemoryBroker(MemoryExchange& exchange) : impl_(std::make_unique<Impl>(exchange)) {}

MemoryBroker::~MemoryBroker() {
  close();
}

Status MemoryBroker::open() {
  if (impl_->open.load()) return {};
  impl_->held = std::make_unique<HeldMessages>(impl_->exchange);
  impl_->open.store(true);
  return {};
}

void MemoryBroker::close() {
  if (!impl_->open.exchange(false)) return;
  impl_->held->close();
  impl_->exchange.flush();
}

Health MemoryBroker::health() {
  const Status status = impl_->usable();
  return {status.ok(), status.message()};
}

BrokerCapabilities MemoryBroker::capabilities() const {
  BrokerCapabilities capabilities;
  capabilities.survives_crash = true;
  capabilities.several_hosts = true;
  capabilities.headers = true;
  capabilities.ordered_by_key = true;
  return capabilities;
}

std::string MemoryBroker::guarantees() const {
  return "Acknowledged messages survive a crash of the host, not the end of the process.";
}

Status MemoryBroker::ensure(std::span<const TopicSpec> topics, std::chrono::milliseconds /*wait*/) {
  if (Status status = impl_->usable(); !status.ok()) return status;
  for (const TopicSpec& topic : topics) {
    if (topic.name.empty() || topic.partitions == 0) {
      return {StatusCode::invalid_argument, "a topic needs a name and at least one partition"};
    }
  }
  for (const TopicSpec& topic : topics) impl_->exchange.ensure(topic);
  return {};
}

Status MemoryBroker::publish(std::span<const Message> messages, std::chrono::milliseconds deadline,
                             PublishSink& sink) {
  if (Status status = impl_->usable(); !status.ok()) return status;
  for (const Message& message : messages) {
    if (message.topic.empty()) return {StatusCode::invalid_argument, "a message needs a topic"};
  }
  if (!impl_->held->has_room(messages.size())) {
    return {StatusCode::overloaded, "too many publishes are stalled"};
  }
  impl_->publish(messages, deadline, sink);
  return {};
}

Result<std::unique_ptr<Subscription>> MemoryBroker::subscribe(std::string_view topic,
                                                              Partition partition,
                                                              MessageSink& sink) {
  if (Status status = impl_->usable(); !status.ok()) return status;
  if (topic.empty()) return Status(StatusCode::invalid_argument, "a subscription needs a topic");
  return std::unique_ptr<Subscription>(std::make_unique<MemorySubscription>(
      impl_->exchange, impl_->exchange.subscribe(topic, partition, sink)));
}

void* MemoryBroker::query(std::string_view /*interface_id*/) {
  return nullptr;
}

}  // namespace vouch::testkit
