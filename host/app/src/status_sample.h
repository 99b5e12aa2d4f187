// StatusSample: what a server says of itself at one moment, gathered from its HTTP API for `vouch
// status`. Plain values.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "api_client.h"

namespace vouch::app {

struct CheckStatus {
  std::string name;  ///< "storage", "broker main"
  bool ok = false;
  bool warning = false;
  std::string detail;
};

struct BacklogStatus {
  std::uint64_t undelivered = 0;
  std::optional<double> oldest_seconds;
  std::uint64_t redelivered = 0;
  std::uint64_t phantoms = 0;
  std::uint64_t recovered = 0;
};

struct PartitionStatus {
  std::uint64_t number = 0;
  std::string owner;  ///< the id of a host; empty: nobody
  BacklogStatus backlog;
  std::string problem;
};

struct HostStatus {
  std::string id;
  std::string name;
  bool self = false;
  bool here = false;
  double heard_of_seconds_ago = 0;
  std::string started;
  std::size_t partitions = 0;
};

struct RouteStatus {
  std::string name;
  std::uint64_t delivered = 0;
  std::uint64_t dead_letters = 0;
  std::optional<double> oldest_waiting_seconds;
  std::string problem;
};

struct StatusSample {
  std::chrono::steady_clock::time_point taken;
  std::string store;
  std::string version;
  std::string storage_plugin;
  std::vector<std::pair<std::string, std::string>> brokers;  ///< name, plugin
  bool ready = false;
  std::vector<CheckStatus> checks;
  BacklogStatus total;
  std::vector<PartitionStatus> partitions;
  std::vector<HostStatus> hosts;
  std::vector<RouteStatus> routes;
  std::string delivery_problem;  ///< why there is nothing of the last four
  /// Counts since the host that answers started.
  double appended = 0;
  double conflicts = 0;
  double failures = 0;
  double delivered = 0;
  double followers = 0;
};

/// Asks the server. Errors: unavailable in words when it does not answer; a server that answers and
/// is not ready is a sample.
Result<StatusSample> take_status(ApiClient& client);

}  // namespace vouch::app
