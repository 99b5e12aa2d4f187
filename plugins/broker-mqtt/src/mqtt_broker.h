// MqttBroker: topics of an MQTT broker. A partition of a topic is a topic below it:
// "vouch/validation" and partition 3 are "vouch/validation/3". Messages without a partition go to
// the topic itself, in the order in which they were given, whatever their keys. Thread tags as in
// vouch/broker.h.
#pragma once

#include <mqtt/async_client.h>

#include <memory>

#include "options.h"
#include "publisher.h"
#include "subscriber.h"
#include "vouch/broker.h"
#include "vouch/host_services.h"

namespace vouch::mqtt_broker {

class MqttBroker final : public Broker {
 public:
  MqttBroker(Options options, HostServices& services);
  ~MqttBroker();

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
  const Options options_;
  HostServices& services_;
  /// Never connected. Paho ends its threads with its last client and starts them with the next:
  /// this one keeps them through all reconnects.
  std::unique_ptr<mqtt::async_client> keeper_;
  Publisher publisher_;
  Subscriber subscriber_;
};

}  // namespace vouch::mqtt_broker
