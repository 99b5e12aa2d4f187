#include <librdkafka/rdkafka.h>
#include <mqtt/async_client.h>

#include <atomic>
#include <stdexcept>
#include <string_view>
#include <thread>
#include <utility>

#include "watcher.h"

namespace vouch::bench {
namespace {

struct Address {
  std::string server;
  std::string topic;
};

Address parts_of(std::string_view text) {
  const std::size_t slash = text.find('/');
  if (slash == std::string_view::npos) {
    throw std::runtime_error("a consumer needs a topic: SCHEME://HOST:PORT/TOPIC");
  }
  return {std::string(text.substr(0, slash)), std::string(text.substr(slash + 1))};
}

/// Reads every partition of a topic from its beginning, as kcat does.
class KafkaConsumer final : public Watcher {
 public:
  explicit KafkaConsumer(const Address& address) {
    char reason[512];
    rd_kafka_conf_t* conf = rd_kafka_conf_new();
    const auto set = [&](const char* name, const char* value) {
      if (rd_kafka_conf_set(conf, name, value, reason, sizeof reason) != RD_KAFKA_CONF_OK) {
        throw std::runtime_error(reason);
      }
    };
    set("bootstrap.servers", address.server.c_str());
    set("group.id", "vouch-bench");
    set("enable.auto.commit", "false");
    set("fetch.wait.max.ms", "100");
    kafka_ = rd_kafka_new(RD_KAFKA_CONSUMER, conf, reason, sizeof reason);
    if (kafka_ == nullptr) throw std::runtime_error(reason);
    rd_kafka_poll_set_consumer(kafka_);
    assign(address.topic);
    thread_ = std::thread([this] { run(); });
  }

  ~KafkaConsumer() override {
    stopped_ = true;
    if (thread_.joinable()) thread_.join();
    rd_kafka_consumer_close(kafka_);
    rd_kafka_destroy(kafka_);
  }

 private:
  void assign(const std::string& topic) {
    rd_kafka_topic_t* handle = rd_kafka_topic_new(kafka_, topic.c_str(), nullptr);
    const struct rd_kafka_metadata* metadata = nullptr;  // a function has that name too
    int partitions = 0;
    if (rd_kafka_metadata(kafka_, 0, handle, &metadata, 10'000) == RD_KAFKA_RESP_ERR_NO_ERROR) {
      if (metadata->topic_cnt == 1) partitions = metadata->topics[0].partition_cnt;
      rd_kafka_metadata_destroy(metadata);
    }
    rd_kafka_topic_destroy(handle);
    if (partitions == 0) throw std::runtime_error("there is no topic " + topic);
    rd_kafka_topic_partition_list_t* list = rd_kafka_topic_partition_list_new(partitions);
    for (int i = 0; i < partitions; ++i) {
      rd_kafka_topic_partition_list_add(list, topic.c_str(), i)->offset = RD_KAFKA_OFFSET_BEGINNING;
    }
    rd_kafka_assign(kafka_, list);
    rd_kafka_topic_partition_list_destroy(list);
  }

  void run() {
    while (!stopped_) {
      rd_kafka_message_t* message = rd_kafka_consumer_poll(kafka_, 100);
      if (message == nullptr) continue;
      if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        sightings_.saw({static_cast<const char*>(message->payload), message->len});
      }
      rd_kafka_message_destroy(message);
    }
  }

  rd_kafka_t* kafka_ = nullptr;
  std::atomic<bool> stopped_{false};
  std::thread thread_;
};

/// Subscribes with QoS 1.
class MqttConsumer final : public Watcher {
 public:
  explicit MqttConsumer(const Address& address)
      : client_("tcp://" + address.server, "vouch-bench-consumer") {
    client_.set_message_callback([this](const mqtt::const_message_ptr& message) {
      if (message) sightings_.saw(message->get_payload_str());
    });
    client_.connect(mqtt::connect_options_builder().clean_session(true).finalize())->wait();
    client_.subscribe(address.topic, 1)->wait();
  }

  ~MqttConsumer() override {
    try {
      client_.disconnect()->wait();
    } catch (const mqtt::exception&) {
      // The broker is gone; so is what is measured.
    }
  }

 private:
  mqtt::async_client client_;
};

}  // namespace

std::unique_ptr<Watcher> consumer_of(const std::string& address) {
  constexpr std::string_view kKafka = "kafka://";
  constexpr std::string_view kMqtt = "mqtt://";
  if (address.starts_with(kKafka)) {
    return std::make_unique<KafkaConsumer>(parts_of(address.substr(kKafka.size())));
  }
  if (address.starts_with(kMqtt)) {
    try {
      return std::make_unique<MqttConsumer>(parts_of(address.substr(kMqtt.size())));
    } catch (const mqtt::exception& error) {
      throw std::runtime_error(error.what());
    }
  }
  throw std::runtime_error("a consumer is kafka://HOST:PORT/TOPIC or mqtt://HOST:PORT/TOPIC");
}

}  // namespace vouch::bench
