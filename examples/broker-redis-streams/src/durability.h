// Durability: what a server's settings make of an acknowledgement, as CONFIG GET tells them.
#pragma once

#include <mutex>
#include <string>

#include "connection.h"
#include "options.h"

namespace broker_redis {

struct Durability {
  bool known = false;       ///< the server told its settings
  std::string why_unknown;  ///< in the server's words
  bool appends = false;     ///< appendonly
  std::string fsync;        ///< appendfsync
  bool evicts = false;      ///< keys without a time to live, when memory is short

  [[nodiscard]] bool meets(Demand demand) const;
  /// What an acknowledgement survives.
  [[nodiscard]] std::string words() const;
};

/// Errors: of the connection.
vouch::Result<Durability> read_durability(Connection& connection, Deadline deadline);

/// failed_precondition with what to set, if the server does not meet the demand.
vouch::Status check(const Durability& found, Demand demand);

/// What was found last. [any-thread]
class DurabilityFound {
 public:
  void set(const Durability& found) {
    const std::lock_guard lock(mutex_);
    found_ = found;
  }
  [[nodiscard]] Durability get() const {
    const std::lock_guard lock(mutex_);
    return found_;
  }

 private:
  mutable std::mutex mutex_;
  Durability found_;
};

}  // namespace broker_redis
