// WriteTurn: a lock that is given in the order of asking. A lane that stages without a pause would
// starve a plain mutex's other waiters (marks, purge, snapshots). Any thread.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>

namespace vouch::sqlite {

class WriteTurn {
 public:
  /// Whether the turn came within `wait`.
  [[nodiscard]] bool take(std::chrono::milliseconds wait);
  /// By any thread. Pre: taken.
  void give_back();

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::uint64_t> line_;
  std::uint64_t next_ticket_ = 0;
  bool taken_ = false;
};

}  // namespace vouch::sqlite
