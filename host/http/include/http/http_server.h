// HttpServer: the HTTP API of docs/http-api.md on Poco Net (used in this room, and for the command
// line's client). Bounded connections, bodies and time; followers leave their connection's thread
// and are served by a few threads of their own. [any-thread] unless said otherwise.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "append/append_service.h"
#include "read/live_feed.h"
#include "read/snapshot_saver.h"
#include "replay/replay.h"
#include "saga/saga.h"
#include "vouch/erasure_store.h"
#include "vouch/host_services.h"
#include "vouch/storage.h"

namespace vouch::http {

struct HttpOptions {
  std::string listen = "127.0.0.1:7070";  ///< port 0: a free one
  std::uint32_t max_connections = 512;
  std::uint32_t max_followers = 1'000;
  std::chrono::milliseconds request_timeout{30'000};
  std::chrono::milliseconds keep_alive_timeout{60'000};
  std::chrono::milliseconds heartbeat{15'000};
  std::uint64_t body_bytes = 8U << 20U;
  std::uint64_t event_bytes = 1U << 20U;
  std::uint32_t events_per_append = 1'000;
  std::uint32_t page = 5'000;
};

/// One thing that must work for the host to be ready.
struct ReadinessCheck {
  std::string name;  ///< "storage", "broker main", "draining"
  bool ok = false;
  std::string detail;    ///< in words
  bool warning = false;  ///< ok, but somebody should look: shown always
};

/// What the server serves. All references must outlive it. Null pointers: not available (501).
struct HttpBackends {
  append::AppendService& append;
  saga::Saga& saga;
  replay::Replays& replays;
  Storage& storage;
  SnapshotStore* snapshots = nullptr;
  read::SnapshotSaver* snapshot_saver = nullptr;
  ErasureStore* erasures = nullptr;
  read::LiveFeed& live_feed;
  std::string store;  ///< the store's name
  std::uint32_t partitions = 0;
  std::function<std::vector<ReadinessCheck>()> readiness;  ///< asked at most once a second
  /// Plugins' calls that do not return; answers at once, whatever the plugins do.
  std::function<std::vector<ReadinessCheck>()> stuck_calls;
  std::function<std::string()> metrics;  ///< Prometheus text
  std::function<std::string()> info;     ///< the JSON of GET /v1/info
};

class HttpServer {
 public:
  HttpServer(HttpOptions options, HttpBackends backends, HostServices& services);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  /// Binds and serves. Errors: unavailable in words (address in use, not allowed). [startup]
  Status start();

  /// Takes no more connections, ends followers, lets requests under way finish until `deadline`.
  /// Idempotent.
  void stop(std::chrono::steady_clock::time_point deadline);

  /// The port that is bound.
  [[nodiscard]] std::uint16_t port() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

/// The OpenAPI document, as `docs/openapi.yaml` was when this was built.
std::string_view openapi_yaml();

}  // namespace vouch::http
