#include "room_options.h"

#include <Poco/Environment.h>

#include <utility>

namespace vouch::app {

append::AppendOptions append_options(const config::Config& config) {
  append::AppendOptions options;
  options.store = config.store.name;
  options.partitions = config.store.partitions;
  options.lanes = config.append.lanes;
  options.max_group_events = config.append.max_group_events;
  options.max_group_bytes = config.append.max_group_bytes;
  options.queue_events = config.append.queue;
  options.queue_timeout = config.append.queue_timeout;
  options.cached_heads = config.append.cached_heads;
  options.publish_timeout = config.append.publish_timeout;
  options.resolve_timeout = config.append.resolve_timeout;
  options.idempotency_wait = config.append.idempotency_wait;
  options.validation_topic = config.validation.topic;
  return options;
}

saga::SagaOptions saga_options(const config::Config& config) {
  saga::SagaOptions options;
  options.store = config.store.name;
  options.partitions = config.store.partitions;
  options.validation_topic = config.validation.topic;
  options.sweep_interval = config.delivery.sweep_interval;
  options.publish_timeout = config.delivery.publish_timeout;
  options.max_round_events = config.delivery.max_round_events;
  options.first_retry = config.delivery.first_retry;
  options.max_retry = config.delivery.max_retry;
  options.purge_age = config.delivery.keep;
  options.host_name = Poco::Environment::nodeName() + " (" + config.http.listen + ")";
  return options;
}

replay::ReplayOptions replay_options(const config::Config& config) {
  replay::ReplayOptions options;
  options.store = config.store.name;
  options.partitions = config.store.partitions;
  options.publish_timeout = config.delivery.publish_timeout;
  options.first_retry = config.delivery.first_retry;
  options.max_retry = config.delivery.max_retry;
  return options;
}

http::HttpOptions http_options(const config::Config& config) {
  http::HttpOptions options;
  options.listen = config.http.listen;
  options.max_connections = config.http.max_connections;
  options.max_followers = config.http.max_followers;
  options.request_timeout = config.http.request_timeout;
  options.keep_alive_timeout = config.http.keep_alive_timeout;
  options.heartbeat = config.http.heartbeat;
  options.body_bytes = config.limits.body_bytes;
  options.event_bytes = config.limits.event_bytes;
  options.events_per_append = config.limits.events_per_append;
  options.page = config.limits.page;
  return options;
}

Result<std::vector<saga::Route>> routes(const config::Config& config, Backends& backends) {
  std::vector<saga::Route> out;
  for (const config::RouteConfig& route : config.outbound) {
    auto topic = format::TopicTemplate::parse(route.topic);
    if (!topic.ok()) return topic.status().with_context("outbound topic " + route.topic);
    Broker& broker = backends.broker(route.broker);
    const bool binary = route.format == "binary";
    if (binary && !broker.capabilities().headers) {
      return Status(StatusCode::failed_precondition,
                    "the route to " + route.topic +
                        " wants format: binary, which needs headers, and broker " + route.broker +
                        " has none as it is set up; use format: structured");
    }
    out.push_back({route.name, &broker, route.broker, std::move(topic).value(), route.categories,
                   route.types, binary});
  }
  return out;
}

}  // namespace vouch::app
