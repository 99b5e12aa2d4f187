// LosingBroker: a broker of which subscribers miss some messages, without a gap being said: what
// the hosts of a trial see of the validation topic. Everything else is the real broker's. Threads
// as in vouch/broker.h.
#pragma once

#include <cstdint>

#include "vouch/broker.h"

namespace vouch::prove {

class LosingBroker final : public Broker {
 public:
  /// `broker` must outlive it. Of each subscription about `share` of the messages is lost, 0 to 1.
  /// `seed`: of the choice.
  LosingBroker(Broker& broker, double share, std::uint64_t seed)
      : broker_(broker), share_(share), seed_(seed) {}

  Status open() override { return broker_.open(); }
  void close() override { broker_.close(); }
  Health health() override { return broker_.health(); }
  [[nodiscard]] BrokerCapabilities capabilities() const override { return broker_.capabilities(); }
  [[nodiscard]] std::string guarantees() const override { return broker_.guarantees(); }
  Status ensure(std::span<const TopicSpec> topics, std::chrono::milliseconds wait) override {
    return broker_.ensure(topics, wait);
  }
  Status publish(std::span<const Message> messages, std::chrono::milliseconds deadline,
                 PublishSink& sink) override {
    return broker_.publish(messages, deadline, sink);
  }
  Result<std::unique_ptr<Subscription>> subscribe(std::string_view topic, Partition partition,
                                                  MessageSink& sink) override;
  void* query(std::string_view interface_id) override { return broker_.query(interface_id); }

 private:
  Broker& broker_;
  const double share_;
  const std::uint64_t seed_;
};

}  // namespace vouch::prove
