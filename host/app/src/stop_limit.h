// StopLimit makes the end of a host definite: when the time to stop has passed and a plugin's call
// still does not return, nothing that waits for it will ever end, and the process is ended instead.
// That is as safe as a crash. [any-thread]
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "plugins/call_watch.h"

namespace vouch::app {

class StopLimit {
 public:
  /// A call that is younger when the time has passed may still finish: closing takes a moment.
  static constexpr std::chrono::milliseconds kGrace{5'000};

  /// `end` gets the calls in words ("close of plugin main (thread vouch, for 5 s)"), and does not
  /// return. `calls` must outlive this. Starts nothing.
  StopLimit(const plugins::CallWatch& calls, std::function<void(const std::string& calls)> end)
      : calls_(calls), end_(std::move(end)) {}
  /// Nothing is left that could hang.
  ~StopLimit();
  StopLimit(const StopLimit&) = delete;
  StopLimit& operator=(const StopLimit&) = delete;

  /// The host is stopping and should have by then. The earliest of several counts.
  void begin(std::chrono::steady_clock::time_point deadline);

 private:
  void wait();

  const plugins::CallWatch& calls_;
  const std::function<void(const std::string& calls)> end_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::optional<std::chrono::steady_clock::time_point> deadline_;
  bool over_ = false;
  std::thread thread_;
};

}  // namespace vouch::app
