// LocalBroker: topics with partitions inside one process. A publish is taken, written to the tap if
// there is one, queued for every subscriber and acknowledged, all within the call. Thread tags as
// in vouch/broker.h.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "options.h"
#include "tap.h"
#include "vouch/broker.h"
#include "vouch/host_services.h"
#include "vouch/messaging/deliverer.h"

namespace vouch::broker_local {

using messaging::Deliverer;
using messaging::Inbox;
using messaging::StoredMessage;

class LocalBroker final : public Broker {
 public:
  LocalBroker(Options options, HostServices& services);
  ~LocalBroker();

  Status open() override;
  void close() override;
  Health health() override;
  [[nodiscard]] BrokerCapabilities capabilities() const override;
  [[nodiscard]] std::string guarantees() const override;
  Status ensure(std::span<const TopicSpec> topics, std::chrono::milliseconds wait) override;
  /// Every outcome is reported before it returns.
  Status publish(std::span<const Message> messages, std::chrono::milliseconds deadline,
                 PublishSink& sink) override;
  Result<std::unique_ptr<Subscription>> subscribe(std::string_view topic, Partition partition,
                                                  MessageSink& sink) override;
  void* query(std::string_view interface_id) override;

 private:
  /// Made by `ensure` or by a subscription, never by a publish: their number stays bounded.
  struct Topic {
    std::uint32_t partitions = 1;
    bool ensured = false;  ///< else any partition may be named: the count is not known
    std::map<std::uint32_t, std::vector<std::shared_ptr<Inbox>>> subscribers;
  };
  enum class Fate : std::uint8_t { keep, lose, refuse };
  struct Entry {
    Fate fate = Fate::keep;
    PublishOutcome outcome = PublishOutcome::acked;
    Status why;
    const Topic* topic = nullptr;  ///< null: nobody ever asked for it
    Partition partition;
    std::size_t line_end = 0;  ///< in `lines_`; 0: not for the tap
  };
  class LocalSubscription;

  void take(std::span<const Message> messages, std::vector<Entry>& entries);
  void route(const Message& message, Entry& entry);
  void write_tap(std::span<const Message> messages, std::vector<Entry>& entries);
  void unsubscribe(const std::string& topic, Partition partition,
                   const std::shared_ptr<Inbox>& inbox);

  const Options options_;
  HostServices& services_;
  Counter& drilled_;
  Deliverer deliverer_;

  mutable std::mutex mutex_;  ///< guards what follows and makes the order of messages
  bool open_ = false;
  std::map<std::string, Topic, std::less<>> topics_;
  std::unique_ptr<Tap> tap_;
  std::string lines_;
  std::minstd_rand random_;
};

}  // namespace vouch::broker_local
