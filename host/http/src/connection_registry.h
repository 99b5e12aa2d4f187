// ConnectionRegistry: the connections that threads serve now, so that stopping can end those that
// wait for a request, and at last all of them. [any-thread]
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>

#include "vouch/host_services.h"

namespace vouch::http {

class ConnectionRegistry {
 public:
  explicit ConnectionRegistry(Gauge& connections) : gauge_(connections) {}

  /// `descriptor` must stay open until `remove`.
  void add(int descriptor);
  void remove(int descriptor);

  /// The connection waits for a request; false when it should not, because the server stops.
  bool set_idle(int descriptor);
  void set_busy(int descriptor);

  [[nodiscard]] std::size_t count() const;

  /// From now on nobody waits for a request: those that do see the end of their input.
  void end_idle();
  /// False when some were still there at `deadline`.
  bool wait_empty(std::chrono::steady_clock::time_point deadline);
  /// Cuts all connections; their threads find out by themselves.
  void cut();

 private:
  Gauge& gauge_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<int, bool> idle_;  ///< by descriptor
  bool stopping_ = false;
};

}  // namespace vouch::http
