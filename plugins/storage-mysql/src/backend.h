// Backend: what the plugin's objects share: settings, the pools of sessions, the names of locks,
// what is known of the server. Made by MysqlStorage, which opens and closes it. Any thread once it
// is open.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <string_view>
#include <utility>

#include "errors.h"
#include "lock_names.h"
#include "options.h"
#include "pool.h"
#include "vouch/host_services.h"

namespace vouch::mysql {

/// Which batches this process gave out, so that one which is yet to come is told from one that was
/// rolled back. Any thread.
class GivenOut {
 public:
  void issued(LaneNumber lane, BatchNumber batch) {
    const std::lock_guard lock(mutex_);
    highest_[lane] = batch;
  }
  /// Whether the batch is one that this process may yet give out.
  [[nodiscard]] bool is_ahead(LaneNumber lane, BatchNumber batch) const {
    const std::lock_guard lock(mutex_);
    const auto found = highest_.find(lane);
    return found != highest_.end() && batch > found->second &&
           batch.value >> 32U == found->second.value >> 32U;
  }

 private:
  mutable std::mutex mutex_;
  std::map<LaneNumber, BatchNumber> highest_;
};

struct Backend {
  Backend(HostServices& host, Options settings)
      : services(host),
        options(std::move(settings)),
        work(options, SessionRole::work, options.readers),
        dirty(options, SessionRole::dirty, 2) {}

  HostServices& services;
  const Options options;
  Pool work;
  Pool dirty;
  GivenOut given_out;
  LockNames locks;                           ///< set by `migrate`, before anything else runs
  std::atomic<std::uint32_t> partitions{0};  ///< 0 until migrated
  std::atomic<std::uint64_t> max_packet{0};  ///< the server's max_allowed_packet
  /// Others may see a commit before it is durable: `settle` must do something.
  std::atomic<bool> must_flush{true};

  template <typename Body>
  auto run(std::string_view doing, Body&& body) -> decltype(body()) {
    return guarded(options, doing, std::forward<Body>(body));
  }

  /// Returns once everything that was visible when it was called is durable. Throws SqlError.
  void settle(Session& session) const {
    if (must_flush) session.execute("FLUSH NO_WRITE_TO_BINLOG ENGINE LOGS");
  }
};

}  // namespace vouch::mysql
