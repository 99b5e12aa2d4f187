// The tables of the host's own sections, and how their rows map to the fields of Config. One table
// gives ranges, defaults and documentation; one list of fields serves reading and showing. Any
// thread.
#pragma once

#include <span>

#include "config/config.h"
#include "config/config_loader.h"

namespace vouch::config {

/// The table of the section with that path, for example "append". Pre: there is one.
const SectionTable& section_table(std::string_view path);

template <typename Visitor>
void visit_fields(Visitor&& visit, StoreConfig& store) {
  visit("name", store.name);
  visit("partitions", store.partitions);
}

template <typename Visitor>
void visit_fields(Visitor&& visit, ValidationConfig& validation) {
  visit("broker", validation.broker);
  visit("topic", validation.topic);
}

template <typename Visitor>
void visit_fields(Visitor&& visit, RouteConfig& route) {
  visit("name", route.name);
  visit("broker", route.broker);
  visit("topic", route.topic);
  visit("categories", route.categories);
  visit("types", route.types);
  visit("format", route.format);
}

template <typename Visitor>
void visit_fields(Visitor&& visit, AppendConfig& append) {
  visit("lanes", append.lanes);
  visit("max_group_events", append.max_group_events);
  visit("max_group_bytes", append.max_group_bytes);
  visit("queue", append.queue);
  visit("queue_timeout", append.queue_timeout);
  visit("cached_heads", append.cached_heads);
  visit("publish_timeout", append.publish_timeout);
  visit("resolve_timeout", append.resolve_timeout);
  visit("idempotency_wait", append.idempotency_wait);
}

template <typename Visitor>
void visit_fields(Visitor&& visit, DeliveryConfig& delivery) {
  visit("sweep_interval", delivery.sweep_interval);
  visit("publish_timeout", delivery.publish_timeout);
  visit("max_round_events", delivery.max_round_events);
  visit("first_retry", delivery.first_retry);
  visit("max_retry", delivery.max_retry);
  visit("keep", delivery.keep);
}

template <typename Visitor>
void visit_fields(Visitor&& visit, HttpConfig& http) {
  visit("listen", http.listen);
  visit("max_connections", http.max_connections);
  visit("max_followers", http.max_followers);
  visit("request_timeout", http.request_timeout);
  visit("keep_alive_timeout", http.keep_alive_timeout);
  visit("heartbeat", http.heartbeat);
}

template <typename Visitor>
void visit_fields(Visitor&& visit, LimitsConfig& limits) {
  visit("body_bytes", limits.body_bytes);
  visit("event_bytes", limits.event_bytes);
  visit("events_per_append", limits.events_per_append);
  visit("page", limits.page);
}

template <typename Visitor>
void visit_fields(Visitor&& visit, SnapshotsConfig& snapshots) {
  visit("queue_bytes", snapshots.queue_bytes);
}

template <typename Visitor>
void visit_fields(Visitor&& visit, LogConfig& log) {
  visit("level", log.level);
  visit("format", log.format);
  visit("file", log.file);
}

template <typename Visitor>
void visit_fields(Visitor&& visit, PluginsConfig& plugins) {
  visit("search_path", plugins.search_path);
  visit("call_limit", plugins.call_limit);
}

template <typename Visitor>
void visit_fields(Visitor&& visit, ShutdownConfig& shutdown) {
  visit("timeout", shutdown.timeout);
}

/// Copies checked values into the fields of a section. Keys without a value are left alone.
class FieldFiller {
 public:
  explicit FieldFiller(const Settings& values) : values_(values) {}

  void operator()(const char* key, std::string& field) const {
    if (values_.has(key)) field = values_.text(key);
  }
  void operator()(const char* key, std::uint32_t& field) const {
    if (values_.has(key)) field = static_cast<std::uint32_t>(values_.integer(key));
  }
  void operator()(const char* key, std::uint64_t& field) const {
    if (values_.has(key)) field = values_.size(key);
  }
  void operator()(const char* key, std::vector<std::string>& field) const {
    if (values_.has(key)) field = values_.list(key);
  }
  template <typename Period>
  void operator()(const char* key, std::chrono::duration<std::int64_t, Period>& field) const {
    using Duration = std::chrono::duration<std::int64_t, Period>;
    if (values_.has(key)) field = std::chrono::duration_cast<Duration>(values_.duration(key));
  }

 private:
  const Settings& values_;
};

}  // namespace vouch::config
