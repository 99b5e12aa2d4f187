#include "kafka_publisher.h"

#include <stdexcept>
#include <utility>

#include "kafka_topic.h"

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
  create_topic(kafka_, topic_, partitions);
  handle_ = rd_kafka_topic_new(kafka_, topic_.c_str(), nullptr);
}

KafkaPublisher::~KafkaPublisher() {
  if (handle_ != nullptr) rd_kafka_topic_destroy(handle_);
  rd_kafka_destroy(kafka_);
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
