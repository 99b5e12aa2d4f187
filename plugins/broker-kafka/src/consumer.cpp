#include "consumer.h"

#include <algorithm>
#include <array>

#include "error_words.h"
#include "headers.h"
#include "vouch/thread_name.h"

namespace vouch::kafka {
namespace {

/// How soon errors and statistics are noticed; messages are at once.
constexpr int kPollMs = 200;

}  // namespace

class Consumer::KafkaSubscription final : public Subscription {
 public:
  KafkaSubscription(Consumer& consumer, Place place, std::shared_ptr<Listener> listener)
      : consumer_(consumer), place_(std::move(place)), listener_(std::move(listener)) {}
  ~KafkaSubscription() override { KafkaSubscription::stop(); }

  void stop() override {
    if (listener_->stopped.exchange(true)) return;
    consumer_.remove(place_, listener_);
    const std::lock_guard wait_for_a_call(listener_->calling);
  }

 private:
  Consumer& consumer_;
  const Place place_;
  const std::shared_ptr<Listener> listener_;
};

Consumer::Consumer(const Options& options, Outage& outage, HostServices& services)
    : options_(options), services_(services), state_("consumer", options, outage, services, this) {}

Consumer::~Consumer() {
  stop();
}

Status Consumer::start() {
  Result<ClientConf> conf = make_conf(options_, ClientKind::consumer);
  if (!conf.ok()) return conf.status();
  state_.listen(conf->get());
  std::array<char, 512> said{};
  client_.reset(rd_kafka_new(RD_KAFKA_CONSUMER, conf->get(), said.data(), said.size()));
  if (!client_) return {StatusCode::invalid_argument, said.data()};
  static_cast<void>(conf->release());  // the client has it
  queue_.reset(rd_kafka_queue_new(client_.get()));
  running_.store(true);
  thread_ = std::thread([this] {
    name_this_thread("kafka-consumer");
    run();
  });
  return {};
}

void Consumer::stop() {
  running_.store(false);
  if (queue_) rd_kafka_queue_yield(queue_.get());
  if (thread_.joinable()) thread_.join();
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [place, source] : sources_) {
      rd_kafka_consume_stop(source.topic.get(), static_cast<std::int32_t>(place.second));
    }
    sources_.clear();
  }
  queue_.reset();
  client_.reset();
}

Result<std::unique_ptr<Subscription>> Consumer::subscribe(std::string_view topic,
                                                          Partition partition, MessageSink& sink) {
  if (Status status = check_topic(topic); !status.ok()) return status;
  if (!running_.load()) return Status(StatusCode::unavailable, "the connection to Kafka is closed");
  Place place{std::string(topic), partition.value};
  auto listener = std::make_shared<Listener>(sink);
  const std::lock_guard lock(mutex_);
  Source& source = sources_[place];
  if (!source.topic) {
    source.topic.reset(rd_kafka_topic_new(client_.get(), place.first.c_str(), nullptr));
    if (!source.topic ||
        rd_kafka_consume_start_queue(source.topic.get(), static_cast<std::int32_t>(place.second),
                                     RD_KAFKA_OFFSET_END, queue_.get()) != 0) {
      const std::string why = rd_kafka_err2str(rd_kafka_last_error());
      sources_.erase(place);
      return Status(StatusCode::unavailable, "can't read topic " + place.first + ": " + why);
    }
  }
  source.listeners.push_back(listener);
  return std::unique_ptr<Subscription>(
      std::make_unique<KafkaSubscription>(*this, std::move(place), std::move(listener)));
}

void Consumer::remove(const Place& place, const std::shared_ptr<Listener>& listener) {
  const std::lock_guard lock(mutex_);
  const auto source = sources_.find(place);
  if (source == sources_.end()) return;
  std::erase(source->second.listeners, listener);
  if (!source->second.listeners.empty()) return;
  rd_kafka_consume_stop(source->second.topic.get(), static_cast<std::int32_t>(place.second));
  sources_.erase(source);
}

std::vector<std::shared_ptr<Consumer::Listener>> Consumer::listeners(const Place& place) const {
  const std::lock_guard lock(mutex_);
  const auto source = sources_.find(place);
  if (source == sources_.end()) return {};
  return source->second.listeners;
}

void Consumer::run() {
  while (running_.load()) {
    rd_kafka_poll(client_.get(), 0);  // errors and statistics
    rd_kafka_message_t* const message = rd_kafka_consume_queue(queue_.get(), kPollMs);
    if (message == nullptr) continue;
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
      take(*message);
    } else {
      failed(*message);
    }
    rd_kafka_message_destroy(message);
  }
}

void Consumer::take(const rd_kafka_message_t& message) {
  state_.works();
  std::vector<Header> headers;
  rd_kafka_headers_t* raw = nullptr;
  if (rd_kafka_message_headers(&message, &raw) == RD_KAFKA_RESP_ERR_NO_ERROR) {
    const char* name = nullptr;
    const void* value = nullptr;
    std::size_t size = 0;
    for (std::size_t i = 0;
         rd_kafka_header_get_all(raw, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR; ++i) {
      headers.push_back({plain_header(name), {static_cast<const char*>(value), size}});
    }
  }
  const std::string topic = rd_kafka_topic_name(message.rkt);
  const auto partition = static_cast<std::uint32_t>(message.partition);
  const Message view{topic,
                     Partition{partition},
                     {static_cast<const char*>(message.key), message.key_len},
                     headers,
                     {static_cast<const char*>(message.payload), message.len}};
  for (const auto& listener : listeners({topic, partition})) {
    if (listener->stopped.load()) continue;
    const std::lock_guard call(listener->calling);
    if (!listener->stopped.load()) listener->sink.message(view);
  }
}

/// An error of one partition. librdkafka goes on by itself after all but one: the place is gone.
void Consumer::failed(const rd_kafka_message_t& message) {
  if (message.rkt == nullptr || message.err == RD_KAFKA_RESP_ERR__PARTITION_EOF) return;
  const std::string topic = rd_kafka_topic_name(message.rkt);
  const auto partition = static_cast<std::uint32_t>(message.partition);
  const bool lost_place = message.err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET ||
                          message.err == RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE;
  services_.logger().warning(lost_place ? "the place in a topic is gone; going on from its end"
                                        : "can't read a topic; trying again",
                             {{"topic", topic},
                              {"partition", std::to_string(partition)},
                              {"reason", rd_kafka_message_errstr(&message)}});
  if (lost_place) rd_kafka_seek(message.rkt, message.partition, RD_KAFKA_OFFSET_END, 0);
  for (const auto& listener : listeners({topic, partition})) {
    if (listener->stopped.load()) continue;
    const std::lock_guard call(listener->calling);
    if (!listener->stopped.load()) listener->sink.gap();
  }
}

}  // namespace vouch::kafka
