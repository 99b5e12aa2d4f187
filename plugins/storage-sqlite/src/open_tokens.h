// OpenTokens: which transactions of this process are not over yet. Only this process writes the
// file, so a batch that is neither here nor in the ledger never was committed. Any thread.
#pragma once

#include <algorithm>
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

  void open(LaneNumber lane, BatchNumber batch) {
    set(lane, batch, State::open);
    issued(lane, batch);
  }
  /// Batches of the lane up to this one were given out.
  void issued(LaneNumber lane, BatchNumber batch) {
    const std::lock_guard lock(mutex_);
    highest_[lane] = std::max(highest_[lane], batch);
  }
  /// Whether the batch is one that this process may yet give out.
  [[nodiscard]] bool is_ahead(LaneNumber lane, BatchNumber batch) const {
    const std::lock_guard lock(mutex_);
    const auto found = highest_.find(lane);
    return found != highest_.end() && batch > found->second;
  }
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
  std::map<LaneNumber, BatchNumber> highest_;
};

}  // namespace vouch::sqlite
