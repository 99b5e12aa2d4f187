// KafkaBroker: topics of Apache Kafka. Two producers: validation messages, for which transactions
// wait, are not queued behind outbound ones. Topics whose requests were refused as too large get a
// third, which sends one message a request, so that only what is too large itself is refused.
// Thread tags as in vouch/broker.h.
#pragma once

#include <atomic>
#include <mutex>
#include <set>
#include <string>

#include "consumer.h"
#include "options.h"
#include "producer.h"
#include "vouch/broker.h"
#include "vouch/host_services.h"
#include "vouch/scratch.h"

namespace vouch::kafka {

class KafkaBroker final : public Broker, private ScratchTopics, private ServerEndpoints {
 public:
  KafkaBroker(Options options, HostServices& services);
  ~KafkaBroker();

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

  /// For tests.
  Producer& outbound() { return outbound_; }

 private:
  Status remove(std::span<const std::string> topics, std::chrono::milliseconds wait) override;
  Result<std::vector<ServerEndpoint>> endpoints(std::chrono::milliseconds wait) override;
  [[nodiscard]] std::string redirects() const override { return "connect_to"; }
  [[nodiscard]] Status refused(const Message& message) const;
  [[nodiscard]] bool goes_alone(std::string_view topic) const;

  const Options options_;
  Outage outage_;
  Consumer consumer_;
  Producer validation_;
  Producer outbound_;
  Producer single_;
  std::mutex admin_;  ///< one call of `ensure` at a time
  std::atomic<bool> open_{false};
  mutable std::mutex mutex_;  ///< guards `alone_`
  std::set<std::string, std::less<>> alone_;
};

}  // namespace vouch::kafka
