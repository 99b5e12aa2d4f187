// Signals of the server. They are blocked in every thread and taken by one thread that waits for
// them, so that no handler ever interrupts anything.
#pragma once

#include <atomic>
#include <functional>
#include <thread>

namespace vouch::app {

/// Ignores SIGPIPE: a peer or a pipe that went away is an error of a write, not the end of the
/// process.
void ignore_broken_pipes();

/// Blocks the signals that SignalWatch takes. Pre: no other thread exists yet; threads inherit it.
void block_signals();

/// What happens on signals; called on the watching thread.
struct SignalActions {
  std::function<void(int signal)> drain;  ///< the first SIGTERM or SIGINT
  std::function<void()> hurry;            ///< the second; the third ends the process at once
  std::function<void()> reload;           ///< SIGHUP
};

class SignalWatch {
 public:
  /// Pre: `block_signals` was called. Starts the thread.
  explicit SignalWatch(SignalActions actions);
  /// Ends and joins the thread.
  ~SignalWatch();
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;

 private:
  void watch();

  SignalActions actions_;
  std::atomic<bool> over_{false};
  std::thread thread_;
};

}  // namespace vouch::app
