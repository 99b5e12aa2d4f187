// EchoBroker: hands every message to the subscribers of its topic in this process. Thread tags as
// in vouch/broker.h.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "vouch/broker.h"
#include "vouch/host_services.h"
#include "vouch/messaging/deliverer.h"

namespace echo {

class EchoBroker final : public vouch::Broker {
 public:
  EchoBroker(std::size_t queue_messages, vouch::HostServices& services);
  ~EchoBroker();

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
  using Inboxes = std::vector<std::shared_ptr<vouch::messaging::Inbox>>;
  using Place = std::pair<std::string, vouch::Partition>;
  class EchoSubscription;

  void unsubscribe(const Place& place, const std::shared_ptr<vouch::messaging::Inbox>& inbox);

  vouch::messaging::Deliverer deliverer_;
  std::mutex mutex_;  ///< guards what follows
  std::map<Place, Inboxes> subscribers_;
};

}  // namespace echo
