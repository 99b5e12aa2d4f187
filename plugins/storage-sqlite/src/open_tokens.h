// OpenTokens: which transactions of this process are not over yet. Only this process writes the
// file, so a batch that is neither here nor in the ledger never was committed. Any thread.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <utility>

#include "vouch/types.h"

namespace vouch::sqlite {

class OpenTokens {
 public:
  enum class State : std::uint8_t {
    over,      ///< COMMIT or ROLLBACK returned: the ledger has the answer
    open,      ///< neither yet
    doubtful,  ///< COMMIT failed so that a crash could still bring it back
  };

  void open(LaneNumber lane, BatchNumber batch) { set(lane, batch, State::open); }
  /// Pre: the COMMIT or ROLLBACK returned.
  void close(LaneNumber lane, BatchNumber batch) {
    const std::lock_guard lock(mutex_);
    states_.erase({lane, batch});
  }
  void doubt(LaneNumber lane, BatchNumber batch) { set(lane, batch, State::doubtful); }

  /// To be called after each durable commit: it overwrote what a failed one had left in the log.
  void settle_doubts() {
    const std::lock_guard lock(mutex_);
    std::erase_if(states_, [](const auto& entry) { return entry.second == State::doubtful; });
  }

  [[nodiscard]] State state(LaneNumber lane, BatchNumber batch) const {
    const std::lock_guard lock(mutex_);
    const auto found = states_.find({lane, batch});
    return found == states_.end() ? State::over : found->second;
  }

 private:
  void set(LaneNumber lane, BatchNumber batch, State state) {
    const std::lock_guard lock(mutex_);
    states_[{lane, batch}] = state;
  }

  mutable std::mutex mutex_;
  std::map<std::pair<LaneNumber, BatchNumber>, State> states_;
};

}  // namespace vouch::sqlite
