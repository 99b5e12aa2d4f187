// ceiling-kafka: the messages that Vouch publishes, produced straight into Kafka with the settings
// of the plugin (idempotent, acks=all, lz4, no linger) and a window as large as what the plugin
// lets wait. No database, no HTTP. With --window 1 it measures a round trip. Prints one JSON
// object.
#include <librdkafka/rdkafka.h>

#include <memory>
#include <stdexcept>

#include "bare_producer.h"
#include "kafka_topic.h"

namespace {

using vouch::bench::BareMessage;
using vouch::bench::ProducerOptions;
using vouch::bench::Window;

constexpr int kPartitions = 6;  // outbound_partitions of the plugin, its default

void on_report(rd_kafka_t*, const rd_kafka_message_t* message, void* window) {
  if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
    static_cast<Window*>(window)->acknowledged();
  } else {
    static_cast<Window*>(window)->refuse(rd_kafka_err2str(message->err));
  }
}

struct Destroy {
  void operator()(rd_kafka_t* client) const { rd_kafka_destroy(client); }
  void operator()(rd_kafka_topic_t* topic) const { rd_kafka_topic_destroy(topic); }
};

std::unique_ptr<rd_kafka_t, Destroy> connect(const ProducerOptions& options, Window& window) {
  char reason[512];
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  const auto set = [&](const char* name, const std::string& value) {
    if (rd_kafka_conf_set(conf, name, value.c_str(), reason, sizeof reason) != RD_KAFKA_CONF_OK) {
      throw std::runtime_error(reason);
    }
  };
  set("bootstrap.servers", options.broker);
  set("enable.idempotence", "true");
  set("acks", "all");
  set("partitioner", "murmur2_random");
  set("linger.ms", "0");
  set("compression.type", "lz4");
  set("socket.nagle.disable", "true");
  set("queue.buffering.max.messages", std::to_string(options.window + 1'000));
  set("queue.buffering.max.kbytes", "1048576");
  rd_kafka_conf_set_dr_msg_cb(conf, &on_report);
  rd_kafka_conf_set_opaque(conf, &window);
  rd_kafka_t* const client = rd_kafka_new(RD_KAFKA_PRODUCER, conf, reason, sizeof reason);
  if (client == nullptr) throw std::runtime_error(reason);
  return std::unique_ptr<rd_kafka_t, Destroy>(client);
}

void measure(const ProducerOptions& options) {
  Window window(options);
  const auto client = connect(options, window);
  vouch::bench::create_topic(client.get(), options.topic, kPartitions);
  const std::unique_ptr<rd_kafka_topic_t, Destroy> topic(
      rd_kafka_topic_new(client.get(), options.topic.c_str(), nullptr));
  window.run(
      [&](BareMessage&& message) {
        if (rd_kafka_produce(topic.get(), RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY,
                             message.value.data(), message.value.size(), message.key.data(),
                             message.key.size(), nullptr) != 0) {
          throw std::runtime_error(rd_kafka_err2str(rd_kafka_last_error()));
        }
        rd_kafka_poll(client.get(), 0);
      },
      [&] { rd_kafka_poll(client.get(), 100); });
}

}  // namespace

int main(int argc, char** argv) {
  ProducerOptions options;
  options.window = 20'000;
  CLI::App app("Produces Vouch's messages into Kafka, and nothing else; prints one JSON object.");
  vouch::bench::add_options(app, options);
  return vouch::bench::ceiling_main(argc, argv, app, "ceiling-kafka", [&] { measure(options); });
}
