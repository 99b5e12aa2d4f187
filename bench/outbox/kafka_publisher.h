// KafkaPublisher: publishes a batch of messages and waits for all acknowledgements, with an
// idempotent producer and acks=all, as a poller of an outbox table should. One thread.
#pragma once

#include <librdkafka/rdkafka.h>

#include <string>
#include <string_view>
#include <vector>

namespace vouch::bench {

class KafkaPublisher {
 public:
  /// Makes the topic with `partitions` where it is missing. Throws std::runtime_error.
  KafkaPublisher(const std::string& servers, std::string topic, int partitions);
  ~KafkaPublisher();
  KafkaPublisher(const KafkaPublisher&) = delete;
  KafkaPublisher& operator=(const KafkaPublisher&) = delete;

  /// Hands a message over; it is copied. Waits while the producer's queue is full.
  void add(std::string_view key, std::string_view value);
  /// Returns when everything that was handed over is acknowledged. Throws std::runtime_error when
  /// something was refused.
  void wait();

 private:
  static void on_delivery(rd_kafka_t* kafka, const rd_kafka_message_t* message, void* self);

  const std::string topic_;
  rd_kafka_t* kafka_ = nullptr;
  rd_kafka_topic_t* handle_ = nullptr;
  std::string refused_;
};

}  // namespace vouch::bench
