// GuardedBroker: the calls of a broker and of its subscriptions.
#include "plugins/guarded_broker.h"

#include <utility>

#include "call_guard.h"
#include "publish_guard.h"

namespace vouch::plugins {
namespace {

class GuardedSubscription final : public Subscription {
 public:
  GuardedSubscription(std::unique_ptr<Subscription> subscription, CallGuard& guard)
      : subscription_(std::move(subscription)), guard_(guard) {}
  ~GuardedSubscription() override { guard_.destroy("destroy subscription", subscription_); }
  GuardedSubscription(const GuardedSubscription&) = delete;
  GuardedSubscription& operator=(const GuardedSubscription&) = delete;

  void stop() override {
    guard_.unmeasured(
        "stop", [this] { subscription_->stop(); }, [](const Status&) {});
  }

 private:
  std::unique_ptr<Subscription> subscription_;
  CallGuard& guard_;
};

}  // namespace

class GuardedBroker::Impl {
 public:
  Impl(Broker* plugin, void (*destroy_plugin)(Plugin*), std::string name, HostServices& services,
       std::chrono::milliseconds grace, CallWatch* watch)
      : broker(*plugin),
        destroy(destroy_plugin),
        guard(std::move(name), "vouch_broker_operation_duration_seconds", "broker", services,
              watch),
        open(guard.operation("open")),
        close(guard.operation("close")),
        health(guard.operation("health")),
        ensure(guard.operation("ensure")),
        subscribe(guard.operation("subscribe")),
        outcomes(guard, grace) {}

  Broker& broker;
  void (*const destroy)(Plugin*);
  CallGuard guard;
  const CallGuard::Operation open, close, health, ensure, subscribe;
  PublishGuard outcomes;
};

GuardedBroker::GuardedBroker(Broker* broker, void (*destroy)(Plugin*), std::string name,
                             HostServices& services, std::chrono::milliseconds grace,
                             CallWatch* watch)
    : impl_(std::make_unique<Impl>(broker, destroy, std::move(name), services, grace, watch)) {}

GuardedBroker::~GuardedBroker() {
  impl_->guard.unmeasured(
      "destroy", [this] { impl_->destroy(&impl_->broker); }, [](const Status&) {});
}

Status GuardedBroker::open() {
  return impl_->guard.run(impl_->open, [this] { return impl_->broker.open(); });
}

void GuardedBroker::close() {
  impl_->guard.run(
      impl_->close, [this] { impl_->broker.close(); }, [](const Status&) {});
  impl_->outcomes.answer_all();
}

Health GuardedBroker::health() {
  return impl_->guard.run(
      impl_->health, [this] { return impl_->broker.health(); },
      [](const Status& status) {
        return Health{false, status.message()};
      });
}

BrokerCapabilities GuardedBroker::capabilities() const {
  return impl_->guard.unmeasured(
      "capabilities", [this] { return impl_->broker.capabilities(); },
      [](const Status&) { return BrokerCapabilities{}; });
}

std::string GuardedBroker::guarantees() const {
  return impl_->guard.unmeasured(
      "guarantees", [this] { return impl_->broker.guarantees(); },
      [](const Status& status) { return "unknown: " + status.message(); });
}

Status GuardedBroker::ensure(std::span<const TopicSpec> topics, std::chrono::milliseconds wait) {
  return impl_->guard.run(impl_->ensure.waiting(wait),
                          [&] { return impl_->broker.ensure(topics, wait); });
}

Status GuardedBroker::publish(std::span<const Message> messages, std::chrono::milliseconds deadline,
                              PublishSink& sink) {
  return impl_->outcomes.publish(impl_->broker, messages, deadline, sink);
}

Result<std::unique_ptr<Subscription>> GuardedBroker::subscribe(std::string_view topic,
                                                               Partition partition,
                                                               MessageSink& sink) {
  auto subscription = impl_->guard.run(
      impl_->subscribe, [&] { return impl_->broker.subscribe(topic, partition, sink); });
  if (!subscription.ok()) return subscription.status();
  if (*subscription == nullptr) return impl_->guard.violation("subscribe", "gave no subscription");
  return std::unique_ptr<Subscription>(
      std::make_unique<GuardedSubscription>(std::move(subscription).value(), impl_->guard));
}

void* GuardedBroker::query(std::string_view interface_id) {
  return impl_->guard.unmeasured(
      "query", [&] { return impl_->broker.query(interface_id); },
      [](const Status&) -> void* { return nullptr; });
}

}  // namespace vouch::plugins
