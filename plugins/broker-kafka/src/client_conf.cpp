#include "client_conf.h"

#include <array>
#include <string_view>

namespace vouch::kafka {
namespace {

struct Forbidden {
  std::string_view name;
  std::string_view why;
};

// Each of them would lose, reorder or misreport messages, or is set by a setting of its own.
constexpr Forbidden kForbidden[] = {
    {"acks", "an acknowledgement must mean that all replicas in sync have the message"},
    {"request.required.acks",
     "an acknowledgement must mean that all replicas in sync have the message"},
    {"enable.idempotence", "without it a retry changes the order of messages"},
    {"enable.gapless.guarantee", "the host repeats what is not acknowledged"},
    {"max.in.flight", "idempotent producers set it"},
    {"max.in.flight.requests.per.connection", "idempotent producers set it"},
    {"message.send.max.retries", "a message is sent until its deadline"},
    {"retries", "a message is sent until its deadline"},
    {"message.timeout.ms", "deadlines come from the host (publish_timeout)"},
    {"delivery.timeout.ms", "deadlines come from the host (publish_timeout)"},
    {"delivery.report.only.error", "the host must hear of every message"},
    {"queuing.strategy", "lifo reorders messages"},
    {"transactional.id", "the flow of Vouch uses no transactions of Kafka"},
    {"partitioner", "events of a stream must stay in one partition, for all who publish it"},
    {"group.id", "validation messages are read without a group"},
    {"enable.auto.commit", "validation messages are read without a group"},
    {"enable.auto.offset.store", "validation messages are read without a group"},
    {"auto.offset.reset", "a lost place in the validation topic must be noticed"},
    {"bootstrap.servers", "use bootstrap_servers"},
    {"metadata.broker.list", "use bootstrap_servers"},
    {"client.id", "use client_id"},
    {"security.protocol", "use security_protocol"},
    {"sasl.mechanism", "use sasl_mechanism"},
    {"sasl.mechanisms", "use sasl_mechanism"},
    {"sasl.username", "use sasl_username"},
    {"sasl.password", "use sasl_password, which is not shown"},
    {"ssl.ca.location", "use ssl_ca"},
    {"ssl.certificate.location", "use ssl_certificate"},
    {"ssl.key.location", "use ssl_key"},
    {"linger.ms", "use linger"},
    {"queue.buffering.max.ms", "use linger"},
    {"compression.type", "use compression"},
    {"compression.codec", "use compression"},
    {"message.max.bytes", "use max_message_bytes"},
    {"queue.buffering.max.messages", "use buffer"},
    {"queue.buffering.max.kbytes", "use buffer_bytes"},
    {"statistics.interval.ms", "use statistics_interval"},
    {"enabled_events", "the plugin takes events by callbacks"},
    {"log.queue", "the plugin takes log lines by a callback"},
};

class Setter {
 public:
  explicit Setter(rd_kafka_conf_t* conf) : conf_(conf) {}

  void operator()(const char* name, const std::string& value) {
    if (!status_.ok()) return;
    std::array<char, 512> said{};
    if (rd_kafka_conf_set(conf_, name, value.c_str(), said.data(), said.size()) ==
        RD_KAFKA_CONF_OK) {
      return;
    }
    status_ = {StatusCode::invalid_argument, said.data()};
  }
  [[nodiscard]] const Status& status() const { return status_; }

 private:
  rd_kafka_conf_t* conf_;
  Status status_;
};

std::string milliseconds_text(std::chrono::microseconds time) {
  return std::to_string(static_cast<double>(time.count()) / 1'000.0);
}

}  // namespace

std::string refusal_of_property(const std::string& name, const std::string& value) {
  for (const Forbidden& forbidden : kForbidden) {
    if (name == forbidden.name) {
      return name + " can't be set here: " + std::string(forbidden.why);
    }
  }
  const ClientConf conf(rd_kafka_conf_new());
  std::array<char, 512> said{};
  if (rd_kafka_conf_set(conf.get(), name.c_str(), value.c_str(), said.data(), said.size()) ==
      RD_KAFKA_CONF_OK) {
    return {};
  }
  return said.data();
}

Result<ClientConf> make_conf(const Options& options, ClientKind kind) {
  ClientConf conf(rd_kafka_conf_new());
  Setter set(conf.get());
  set("bootstrap.servers", options.bootstrap_servers);
  set("client.id", options.client_id);
  set("security.protocol", options.security_protocol);
  if (!options.sasl_mechanism.empty()) set("sasl.mechanisms", options.sasl_mechanism);
  if (!options.sasl_username.empty()) set("sasl.username", options.sasl_username);
  if (!options.sasl_password.empty()) set("sasl.password", options.sasl_password);
  if (!options.ssl_ca.empty()) set("ssl.ca.location", options.ssl_ca);
  if (!options.ssl_certificate.empty()) set("ssl.certificate.location", options.ssl_certificate);
  if (!options.ssl_key.empty()) set("ssl.key.location", options.ssl_key);
  // The defaults took 9.5 s to come back from an outage of 3 s.
  set("reconnect.backoff.ms", "20");
  set("reconnect.backoff.max.ms", "500");
  set("socket.nagle.disable", "true");
  set("topic.metadata.refresh.fast.interval.ms", "100");
  set("topic.metadata.propagation.max.ms", "5000");
  set("statistics.interval.ms", std::to_string(options.statistics_interval.count()));
  for (const auto& [name, value] : options.properties) set(name.c_str(), value);

  if (kind == ClientKind::consumer) {
    set("group.id", "vouch");
    set("enable.auto.commit", "false");
    set("enable.auto.offset.store", "false");
    set("auto.offset.reset", "error");
    set("fetch.wait.max.ms", "200");
    set("allow.auto.create.topics", "false");
  } else {
    set("enable.idempotence", "true");
    set("acks", "all");
    set("partitioner", "murmur2_random");
    // Messages leave the queue in the order in which they came, or all at once (rd_kafka_purge):
    // a time-out for each of them could let a later one of a stream pass.
    set("message.timeout.ms", "0");
    set("message.max.bytes", std::to_string(options.max_message_bytes));
    set("queue.buffering.max.messages", std::to_string(options.buffer * 2 + 1'000));
    set("queue.buffering.max.kbytes", std::to_string(options.buffer_bytes / 512 + 65'536));
    const bool validation = kind == ClientKind::validation;
    set("linger.ms",
        kind == ClientKind::single
            ? "0"
            : milliseconds_text(validation ? options.validation_linger : options.linger));
    set("compression.type", validation ? "none" : options.compression);
    if (kind == ClientKind::single) set("batch.num.messages", "1");
  }
  if (!set.status().ok()) return set.status();
  return conf;
}

}  // namespace vouch::kafka
