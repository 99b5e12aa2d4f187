// RedisBroker: the contract's methods. Thread tags as in vouch/broker.h.
#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "errands.h"
#include "options.h"
#include "outbox.h"
#include "publisher.h"
#include "reader.h"
#include "servers.h"
#include "topics.h"
#include "vouch/broker.h"
#include "vouch/host_services.h"
#include "vouch/scratch.h"

namespace broker_redis {

class RedisBroker final : public vouch::Broker,
                          private vouch::ScratchTopics,
                          private vouch::ServerEndpoints {
 public:
  RedisBroker(Options options, vouch::HostServices& services);
  ~RedisBroker();

  vouch::Status open() override;
  void close() override;
  vouch::Health health() override;
  [[nodiscard]] vouch::BrokerCapabilities capabilities() const override;
  [[nodiscard]] std::string guarantees() const override;
  vouch::Status ensure(std::span<const vouch::TopicSpec> topics,
                       std::chrono::milliseconds wait) override;
  vouch::Status publish(std::span<const vouch::Message> messages,
                        std::chrono::milliseconds deadline, vouch::PublishSink& sink) override;
  vouch::Result<std::unique_ptr<vouch::Subscription>> subscribe(std::string_view topic,
                                                                vouch::Partition partition,
                                                                vouch::MessageSink& sink) override;
  void* query(std::string_view interface_id) override;

 private:
  class RedisSubscription;

  // ScratchTopics
  vouch::Status remove(std::span<const std::string> topics,
                       std::chrono::milliseconds wait) override;
  // ServerEndpoints
  vouch::Result<std::vector<vouch::ServerEndpoint>> endpoints(
      std::chrono::milliseconds wait) override;
  [[nodiscard]] std::string redirects() const override { return "connect_to"; }

  /// Ok, or why the message is refused for good.
  [[nodiscard]] vouch::Status check(const vouch::Message& message) const;
  vouch::Status ensure_topics(Connection& connection, Deadline deadline,
                              std::span<const vouch::TopicSpec> topics);
  /// Finds where a new subscription begins, and has it read at once.
  void begin_now(const FollowerPtr& follower);

  const Options options_;
  vouch::HostServices& services_;
  DurabilityFound durability_;
  Servers servers_;
  Topics topics_;
  Errands errands_;
  Outbox outbox_;
  Publisher publisher_;
  Reader reader_;
  std::atomic<bool> open_{false};
};

}  // namespace broker_redis
