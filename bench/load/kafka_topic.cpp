#include "kafka_topic.h"

#include <stdexcept>

namespace vouch::bench {

void create_topic(rd_kafka_t* client, const std::string& topic, int partitions) {
  char reason[512];
  rd_kafka_NewTopic_t* wanted =
      rd_kafka_NewTopic_new(topic.c_str(), partitions, -1, reason, sizeof reason);
  if (wanted == nullptr) throw std::runtime_error(reason);
  rd_kafka_queue_t* queue = rd_kafka_queue_new(client);
  rd_kafka_CreateTopics(client, &wanted, 1, nullptr, queue);
  rd_kafka_event_t* event = rd_kafka_queue_poll(queue, 30'000);
  std::string failed = event == nullptr ? "no answer" : "";
  if (event != nullptr && rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR_NO_ERROR) {
    failed = rd_kafka_event_error_string(event);
  }
  if (event != nullptr) rd_kafka_event_destroy(event);
  rd_kafka_queue_destroy(queue);
  rd_kafka_NewTopic_destroy(wanted);
  if (!failed.empty()) throw std::runtime_error("topic " + topic + ": " + failed);
}

}  // namespace vouch::bench
