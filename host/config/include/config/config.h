// Config: what the YAML file says, checked and complete. The file is data to everybody else: rooms
// get plain values, plugins get Settings. Immutable after loading.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "vouch/values/setting_values.h"

namespace vouch::config {

/// A place in the file; line and column from 1, 0 when there is none.
struct Place {
  int line = 0;
  int column = 0;
};

struct PluginUse {
  std::string plugin;  ///< name, or absolute path ending in .so
  std::shared_ptr<const values::SettingValues> settings;
  Place place;
};

struct StoreConfig {
  std::string name;
  std::uint32_t partitions = 8;
};

struct ValidationConfig {
  std::string broker;  ///< a key of `brokers`
  std::string topic;
};

struct RouteConfig {
  std::string name;    ///< unique; dead letters are kept under it
  std::string broker;  ///< a key of `brokers`
  std::string topic;   ///< a legal topic template
  std::vector<std::string> categories;
  std::vector<std::string> types;
  std::string format;  ///< structured, binary
  Place place;
};

struct AppendConfig {
  std::uint32_t lanes = 0;
  std::uint32_t max_group_events = 0;
  std::uint64_t max_group_bytes = 0;
  std::uint32_t queue = 0;
  std::chrono::milliseconds queue_timeout{};
  std::uint32_t cached_heads = 0;
  std::chrono::milliseconds publish_timeout{};
  std::chrono::milliseconds resolve_timeout{};
  std::chrono::milliseconds idempotency_wait{};
};

struct DeliveryConfig {
  std::chrono::milliseconds sweep_interval{};
  std::chrono::milliseconds publish_timeout{};
  std::uint32_t max_round_events = 0;
  std::chrono::milliseconds first_retry{};
  std::chrono::milliseconds max_retry{};
  std::chrono::seconds keep{};  ///< ledger rows and idempotency keys, after delivery
};

struct HttpConfig {
  std::string listen;  ///< "127.0.0.1:7070", "[::1]:7070", ":7070" (all addresses)
  std::uint32_t max_connections = 0;
  std::uint32_t max_followers = 0;
  std::chrono::milliseconds request_timeout{};     ///< to receive a whole request
  std::chrono::milliseconds keep_alive_timeout{};  ///< idle between requests
  std::chrono::milliseconds heartbeat{};           ///< of the feed
};

struct LimitsConfig {
  std::uint64_t body_bytes = 0;
  std::uint64_t event_bytes = 0;  ///< data and metadata of one event
  std::uint32_t events_per_append = 0;
  std::uint32_t page = 0;  ///< largest `limit`
};

struct SnapshotsConfig {
  std::uint64_t queue_bytes = 0;
};

struct LogConfig {
  std::string level;   ///< trace, debug, info, warning, error
  std::string format;  ///< text, json
  std::string file;    ///< empty: standard error
};

struct PluginsConfig {
  std::vector<std::string> search_path;
  std::chrono::milliseconds call_limit{};  ///< after which a call is said not to return
};

struct ShutdownConfig {
  std::chrono::milliseconds timeout{};
};

struct Config {
  StoreConfig store;
  PluginUse storage;
  std::map<std::string, PluginUse> brokers;
  ValidationConfig validation;
  std::vector<RouteConfig> outbound;
  AppendConfig append;
  DeliveryConfig delivery;
  HttpConfig http;
  LimitsConfig limits;
  SnapshotsConfig snapshots;
  LogConfig log;
  PluginsConfig plugins;
  ShutdownConfig shutdown;
};

}  // namespace vouch::config
