// Errands: a connection for short questions of the broker's callers, one at a time, beside those of
// the threads that publish and read. [any-thread]
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>

#include "servers.h"

namespace broker_redis {

class Errands {
 public:
  Errands(const Options& options, Servers& servers) : options_(options), servers_(servers) {}

  using Errand = std::function<vouch::Status(Connection&, Deadline)>;

  /// Runs it on a connection; once more on a new one if that was kept and had broken meanwhile. The
  /// errand's errors `unavailable` and `timeout` mean that the connection is of no use. Errors: of
  /// the errand, of connecting.
  vouch::Status run(const Errand& errand);
  /// The same until it succeeds, fails for a reason that no waiting cures, or the time is over.
  vouch::Status run_until(Deadline deadline, const std::function<bool()>& give_up,
                          const Errand& errand);

  /// [startup] and [shutdown].
  void open() { wake_.clear(); }
  void close();

 private:
  const Options& options_;
  Servers& servers_;
  Wake wake_;
  std::mutex mutex_;
  std::unique_ptr<Connection> connection_;
};

}  // namespace broker_redis
