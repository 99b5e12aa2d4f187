#include "prove/losing_broker.h"

#include <random>
#include <utility>

namespace vouch::prove {
namespace {

/// Stands between a subscriber and the broker.
class LosingSubscription final : public Subscription, private MessageSink {
 public:
  LosingSubscription(MessageSink& sink, double share, std::uint64_t seed)
      : sink_(sink), lost_(share), random_(seed) {}
  ~LosingSubscription() override { stop(); }

  Status begin(Broker& broker, std::string_view topic, Partition partition) {
    auto subscription = broker.subscribe(topic, partition, *this);
    if (!subscription.ok()) return subscription.status();
    real_ = *std::move(subscription);
    return {};
  }

  void stop() override {
    if (real_ != nullptr) real_->stop();
  }

 private:
  void message(const Message& message) override {
    if (!lost_(random_)) sink_.message(message);
  }
  void gap() override { sink_.gap(); }

  MessageSink& sink_;
  std::bernoulli_distribution lost_;
  std::mt19937_64 random_;
  std::unique_ptr<Subscription> real_;
};

}  // namespace

Result<std::unique_ptr<Subscription>> LosingBroker::subscribe(std::string_view topic,
                                                              Partition partition,
                                                              MessageSink& sink) {
  auto subscription = std::make_unique<LosingSubscription>(sink, share_, seed_ + partition.value);
  if (Status status = subscription->begin(broker_, topic, partition); !status.ok()) return status;
  return std::unique_ptr<Subscription>(std::move(subscription));
}

}  // namespace vouch::prove
