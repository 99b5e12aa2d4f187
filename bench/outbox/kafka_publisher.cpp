#include "kafka_publisher.h"

#include <stdexcept>
#include <utility>

namespace vouch::bench {

KafkaPublisher::KafkaPublisher(const std::string& servers, std::string topic, int partitions)
    : topic_(std::move(topic)) {
  char reason[512];
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  const auto set = [&](const char* name, const char* value) {
    if (rd_kafka_conf_set(conf, name, value, reason, sizeof reason) != RD_KAFKA_CONF_OK) {
      throw std::runtime_error(reason);
    }
  };
  set("bootstrap.servers", servers.c_str());
  set("enable.idempotence", "true");
  set("acks", "all");
  set("linger.ms", "0");
  set("compression.type", "lz4");
  rd_kafka_conf_set_dr_msg_cb(conf, &KafkaPublisher::on_delivery);
  rd_kafka_conf_set_opaque(conf, this);
  kafka_ = rd_kafka_new(RD_KAFKA_PRODUCER, conf, reason, sizeof reason);
  if (kafka_ == nullptr) throw std::runtime_error(reason);
  create_topic(partitions);
  handle_ = rd_kafka_topic_new(kafka_, topic_.c_str(), nullptr);
}

KafkaPublisher::~KafkaPublisher() {
  if (handle_ != nullptr) rd_kafka_topic_destroy(handle_);
  rd_kafka_destroy(kafka_);
}

void KafkaPublisher::create_topic(int partitions) {
  char reason[512];
  rd_kafka_NewTopic_t* topic =
      rd_kafka_NewTopic_new(topic_.c_str(), partitions, -1, reason, sizeof reason);
  if (topic == nullptr) throw std::runtime_error(reason);
  rd_kafka_queue_t* queue = rd_kafka_queue_new(kafka_);
  rd_kafka_CreateTopics(kafka_, &topic, 1, nullptr, queue);
  rd_kafka_event_t* event = rd_kafka_queue_poll(queue, 30'000);
  std::string failed = event == nullptr ? "no answer" : "";
  if (event != nullptr && rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR_NO_ERROR) {
    failed = rd_kafka_event_error_string(event);
  }
  if (event != nullptr) rd_kafka_event_destroy(event);
  rd_kafka_queue_destroy(queue);
  rd_kafka_NewTopic_destroy(topic);
  if (!failed.empty()) throw std::runtime_error("topic " + topic_ + ": " + failed);
}

void KafkaPublisher::add(std::string_view key, std::string_view value) {
  rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR_NO_ERROR;
  do {
    const int refused = rd_kafka_produce(handle_, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY,
                                         const_cast<char*>(value.data()), value.size(), key.data(),
                                         key.size(), nullptr);
    error = refused == 0 ? RD_KAFKA_RESP_ERR_NO_ERROR : rd_kafka_last_error();
    rd_kafka_poll(kafka_, error == RD_KAFKA_RESP_ERR__QUEUE_FULL ? 10 : 0);
  } while (error == RD_KAFKA_RESP_ERR__QUEUE_FULL);
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) throw std::runtime_error(rd_kafka_err2str(error));
}

void KafkaPublisher::wait() {
  while (rd_kafka_outq_len(kafka_) > 0) rd_kafka_poll(kafka_, 100);
  if (!refused_.empty()) throw std::runtime_error(refused_);
}

void KafkaPublisher::on_delivery(rd_kafka_t*, const rd_kafka_message_t* message, void* self) {
  if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) return;
  static_cast<KafkaPublisher*>(self)->refused_ = rd_kafka_err2str(message->err);
}

}  // namespace vouch::bench
