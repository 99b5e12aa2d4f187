// MemoryBroker: the broker contract in memory, with faults, and a record of everything that was
// taken. Two parts: a MemoryExchange that outlives "crashes" of hosts, and MemoryBroker objects.
//
// A publish is a validation step if its topic is the exchange's validation topic, else outbound.
// Faults at publish: fail (unknown, not taken), lose (acked, not taken), lose_and_fail (unknown,
// taken), reject, duplicate, reorder (delivered after the next), stall, throw_exception. If a
// message is not acked, those of its key behind it in the call are not taken either. Faults at
// deliver_validation: lose, duplicate, reorder, stall.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "vouch/broker.h"
#include "vouch/testkit/faults.h"

namespace vouch::testkit {

struct TakenMessage {
  std::string topic;
  std::optional<Partition> partition;
  std::string key;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string payload;
};

class MemoryExchange {
 public:
  explicit MemoryExchange(Faults& faults, std::string validation_topic = "vouch.validation");
  ~MemoryExchange();

  /// Everything taken so far on topics other than the validation topic, in order.
  [[nodiscard]] std::vector<TakenMessage> outbound() const;
  /// Everything taken so far on the validation topic, in order.
  [[nodiscard]] std::vector<TakenMessage> validation() const;
  /// Waits until `outbound()` holds at least `count`; false after `limit`.
  bool wait_outbound(std::size_t count,
                     std::chrono::milliseconds limit = std::chrono::seconds(10)) const;

  class Impl;
  Impl& impl() { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

class MemoryBroker final : public Broker {
 public:
  /// Must outlive it.
  explicit MemoryBroker(MemoryExchange& exchange);
  ~MemoryBroker();

  Status open() override;
  void close() override;
  Health health() override;
  [[nodiscard]] BrokerCapabilities capabilities() const override;
  [[nodiscard]] std::string guarantees() const override;
  Status ensure(std::span<const TopicSpec> topics, std::chrono::milliseconds wait) override;
  Status publish(std::span<const Message> messages, std::chrono::milliseconds deadline,
                 PublishSink& sink) override;
  Result<std::unique_ptr<Subscription>> subscribe(std::string_view topic, Partition partition,
                                                  MessageSink& sink) override;
  void* query(std::string_view interface_id) override;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace vouch::testkit
