#include "mqtt_broker.h"

#include <thread>
#include <utility>

#include "topic_rules.h"

namespace vouch::mqtt_broker {

MqttBroker::MqttBroker(Options options, HostServices& services)
    : options_(std::move(options)),
      services_(services),
      publisher_(options_, services),
      subscriber_(options_, services) {}

MqttBroker::~MqttBroker() {
  MqttBroker::close();
}

Status MqttBroker::open() {
  try {
    keeper_ = std::make_unique<mqtt::async_client>(options_.uri, options_.client_id + "-keeper");
  } catch (const mqtt::exception& error) {
    return {StatusCode::invalid_argument,
            "the MQTT client library does not take " + options_.uri + ": " + error.what()};
  }
  publisher_.start();
  subscriber_.start();
  return {};
}

void MqttBroker::close() {
  publisher_.stop();
  subscriber_.stop();
  keeper_.reset();
}

Health MqttBroker::health() {
  const Health publishing = publisher_.health();
  return publishing.ok ? subscriber_.health() : publishing;
}

BrokerCapabilities MqttBroker::capabilities() const {
  BrokerCapabilities capabilities;
  capabilities.survives_crash = options_.survives_crash;
  capabilities.several_hosts = true;
  capabilities.headers = options_.version5;
  capabilities.ordered_by_key = true;
  capabilities.max_message_bytes = options_.max_message_bytes;
  return capabilities;
}

std::string MqttBroker::guarantees() const {
  std::string words = "MQTT " + std::string(options_.version5 ? "5" : "3.1.1") +
                      ", QoS 1: an acknowledgement says that the broker has the message and has "
                      "queued it for those "
                      "who subscribe; ";
  words += options_.survives_crash
               ? "as it was set up, this broker has it on disk by then."
               : "not that it is on disk. Mosquitto loses acknowledged messages when it is killed, "
                 "all since its last save (autosave_interval), and drops what exceeds "
                 "max_queued_messages.";
  if (!options_.version5) {
    words +=
        " In this version brokers acknowledge also what they refuse, for example because of an "
        "access rule.";
  }
  return words;
}

Status MqttBroker::ensure(std::span<const TopicSpec> topics, std::chrono::milliseconds wait) {
  for (const TopicSpec& topic : topics) {
    if (Status status = check_topic(topic.name); !status.ok()) {
      return status.with_context("topic \"" + topic.name + "\"");
    }
  }
  // MQTT has no topics to create; that the broker answers is all that there is to know.
  const auto until = std::chrono::steady_clock::now() + wait;
  Health now = health();
  while (!now.ok && std::chrono::steady_clock::now() < until && !services_.stopping()) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    now = health();
  }
  return now.ok ? Status() : Status(StatusCode::unavailable, now.detail);
}

Status MqttBroker::publish(std::span<const Message> messages, std::chrono::milliseconds deadline,
                           PublishSink& sink) {
  return publisher_.publish(messages, deadline, sink);
}

Result<std::unique_ptr<Subscription>> MqttBroker::subscribe(std::string_view topic,
                                                            Partition partition,
                                                            MessageSink& sink) {
  return subscriber_.subscribe(topic, partition, sink);
}

void* MqttBroker::query(std::string_view /*interface_id*/) {
  return nullptr;
}

}  // namespace vouch::mqtt_broker
