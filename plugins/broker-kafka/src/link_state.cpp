#include "link_state.h"

#include <syslog.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace vouch::kafka {
namespace {

Gauge& gauge(HostServices& services, const std::string& client, const char* name,
             const char* help) {
  const Label labels[] = {{"client", client}};
  return services.metrics().gauge(name, help, labels);
}

}  // namespace

LinkState::LinkState(std::string name, const Options& options, Outage& outage,
                     HostServices& services, void* owner)
    : name_(std::move(name)),
      servers_(options.bootstrap_servers),
      redirects_(options.redirects),
      owner_(owner),
      outage_(outage),
      services_(services),
      brokers_up_(gauge(services, name_, "vouch_kafka_brokers_up", "Brokers connected to.")),
      queued_(gauge(services, name_, "vouch_kafka_queued_messages",
                    "Messages in the client library's queues.")),
      sent_bytes_(gauge(services, name_, "vouch_kafka_sent_bytes", "Bytes sent since the start.")),
      received_bytes_(
          gauge(services, name_, "vouch_kafka_received_bytes", "Bytes received since the start.")),
      round_trip_(gauge(services, name_, "vouch_kafka_round_trip_seconds",
                        "Average time of a request, of the slowest broker.")) {}

void LinkState::listen(rd_kafka_conf_t* conf) {
  rd_kafka_conf_set_opaque(conf, this);
  rd_kafka_conf_set_error_cb(conf, &LinkState::on_error);
  rd_kafka_conf_set_stats_cb(conf, &LinkState::on_statistics);
  rd_kafka_conf_set_log_cb(conf, &LinkState::on_log);
  if (!redirects_.empty()) rd_kafka_conf_set_resolve_cb(conf, &LinkState::on_resolve);
}

Health LinkState::health() const {
  const std::lock_guard lock(mutex_);
  if (!refused_.empty()) return {false, servers_ + ": " + refused_};
  return link_ == Link::up ? Health{true, "connected to " + servers_}
                           : Health{false, servers_ + ": " + reason_};
}

LinkState::Link LinkState::link() const {
  const std::lock_guard lock(mutex_);
  return refused_.empty() ? link_ : Link::down;
}

void LinkState::works() {
  {
    const std::lock_guard lock(mutex_);
    if (link_ == Link::up) return;
    link_ = Link::up;
  }
  outage_.up(name_);
}

void LinkState::refused(const std::string& why) {
  const std::lock_guard lock(mutex_);
  refused_ = why;
}

void LinkState::accepted() {
  const std::lock_guard lock(mutex_);
  refused_.clear();
}

void LinkState::down(const std::string& why) {
  std::string reason;
  {
    const std::lock_guard lock(mutex_);
    link_ = Link::down;
    reason = reason_.empty() ? why : reason_;
  }
  outage_.down(name_, reason);
}

void LinkState::note(const std::string& why) {
  const std::lock_guard lock(mutex_);
  if (link_ == Link::down && reason_ != why) {
    services_.logger().debug("still can't reach Kafka", {{"client", name_}, {"reason", why}});
  }
  reason_ = why;
}

void LinkState::on_error(rd_kafka_t* /*client*/, int error, const char* reason, void* self) {
  auto& state = *static_cast<LinkState*>(self);
  const std::string text = for_people(reason, state.servers_);
  switch (error) {
    case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
      state.down(text);
      break;
    case RD_KAFKA_RESP_ERR__AUTHENTICATION:
    case RD_KAFKA_RESP_ERR__SSL:
      // No waiting for the other brokers: they will not let us in either.
      state.note(text);
      state.down(text);
      break;
    case RD_KAFKA_RESP_ERR__FATAL:
      break;  // of the producer, which looks after it
    default:
      state.note(text);
  }
}

int LinkState::on_statistics(rd_kafka_t* /*client*/, char* json, std::size_t size, void* self) {
  static_cast<LinkState*>(self)->read_statistics({json, size});
  return 0;  // librdkafka frees the text
}

/// STATISTICS.md of librdkafka says what the fields mean.
void LinkState::read_statistics(std::string_view text) {
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (json.is_discarded() || !json.is_object()) return;
  queued_.set(json.value("msg_cnt", 0.0));
  sent_bytes_.set(json.value("tx_bytes", 0.0));
  received_bytes_.set(json.value("rx_bytes", 0.0));
  double up = 0;
  double slowest = 0;
  if (const auto brokers = json.find("brokers"); brokers != json.end()) {
    for (const auto& broker : *brokers) {
      if (broker.value("state", "") != "UP") continue;
      up += 1;
      if (const auto rtt = broker.find("rtt"); rtt != broker.end()) {
        slowest = std::max(slowest, rtt->value("avg", 0.0) / 1e6);
      }
    }
  }
  brokers_up_.set(up);
  round_trip_.set(slowest);
  if (up > 0) works();
}

int LinkState::on_resolve(const char* node, const char* service, const addrinfo* hints,
                          addrinfo** found, void* self) {
  return static_cast<LinkState*>(self)->redirects_.resolve(node, service, hints, found);
}

void LinkState::on_log(const rd_kafka_t* client, int level, const char* facility,
                       const char* text) {
  const auto* state = static_cast<const LinkState*>(rd_kafka_opaque(client));
  if (state == nullptr) return;
  // What an operator must know comes by the error callback, once; this is for those who look
  // closer.
  const bool told = std::string_view(facility) == "FATAL";  // by the producer
  const LogLevel ours = level <= LOG_CRIT && !told ? LogLevel::error : LogLevel::debug;
  if (!state->services_.logger().enabled(ours)) return;
  const LogField fields[] = {{"client", state->name_}, {"facility", facility}, {"text", text}};
  state->services_.logger().log(ours, "librdkafka", fields);
}

}  // namespace vouch::kafka
