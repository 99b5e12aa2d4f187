// LinkState: how one of the broker's connections is, for health, and the pauses between tries.
// [any-thread]
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <random>
#include <string>

#include "vouch/status.h"
#include "vouch/types.h"

namespace broker_redis {

class LinkState {
 public:
  void connected(const std::string& where);
  /// True if this is news: it was connected before, or another kind of failure is new.
  bool failed(const vouch::Status& why);
  /// Redis answers, and refuses what it is asked; forgotten when that is not heard for a while.
  void refused(const vouch::Status& why);
  void accepted();

  /// In words, with how long it has been so.
  [[nodiscard]] vouch::Health health() const;
  [[nodiscard]] bool is_connected() const;
  /// Waits until it is connected, or failed for a reason that no waiting cures. Ok, or what is
  /// wrong.
  vouch::Status wait_connected(std::chrono::steady_clock::time_point deadline,
                               const std::function<bool()>& give_up);

 private:
  using Time = std::chrono::steady_clock::time_point;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool connected_ = false;
  std::string where_;
  vouch::Status why_{vouch::StatusCode::unavailable, "not connected yet"};
  Time since_{};
  vouch::Status refusal_;
  Time refused_at_;
};

/// Whether waiting may cure it.
bool is_passing(const vouch::Status& status);

/// Pauses that double, each shortened by chance so that hosts do not come all at once.
class Backoff {
 public:
  std::chrono::milliseconds next();
  void reset() { pause_ = kFirst; }

 private:
  static constexpr std::chrono::milliseconds kFirst{20};
  static constexpr std::chrono::milliseconds kLongest{1'000};
  std::chrono::milliseconds pause_ = kFirst;
  std::minstd_rand random_{std::random_device{}()};
};

}  // namespace broker_redis
