// Checkpointer: moves the write-ahead log's content into the file on a thread of its own, so that
// no commit pays for it. Most is copied while the lane goes on writing; the rest, what was written
// meanwhile, in a turn of its own, after which the next transaction begins the log from its start.
// Its thread sleeps without a time-out while the log is short. `wake` is for any thread; start and
// stop for one.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>

#include "backend.h"

namespace vouch::sqlite {

class Checkpointer {
 public:
  explicit Checkpointer(Backend& backend) : backend_(backend) {}
  Checkpointer(const Checkpointer&) = delete;
  Checkpointer& operator=(const Checkpointer&) = delete;
  ~Checkpointer() { stop(); }

  /// Opens the session. Throws SqlError.
  void start();
  /// Ends the thread; what is in the log stays there. Idempotent.
  void stop();

  /// The log has so many frames: to be called after each commit, cheap.
  void log_grew(std::uint64_t frames);

  /// Has the log moved into the file as a whole and cut to nothing, and waits for that, at most
  /// `wait`. When a reader stands in the way for longer it goes on trying in the background.
  /// Returns whether the log was emptied after this call began.
  bool empty_log(std::chrono::milliseconds wait);

 private:
  struct Progress {
    std::uint64_t frames = 0;  ///< in the log
    std::uint64_t copied = 0;  ///< of them, those that are in the file
  };

  void run();
  /// Pre: `lock` is held; it is given back meanwhile.
  Status work(std::unique_lock<std::mutex>& lock);
  Status checkpoint();
  /// Cuts the log to nothing. Errors: contended while somebody reads what is only there.
  Status truncate();
  /// Copies what no reader stands in the way of; waits for nobody. Throws SqlError.
  Progress copy();

  Backend& backend_;
  std::unique_ptr<Connection> connection_;
  std::uint64_t threshold_ = 0;           ///< frames; set by start
  std::atomic<std::uint64_t> due_at_{0};  ///< frames at which the next checkpoint begins
  std::mutex mutex_;
  std::condition_variable changed_;
  bool due_ = false;
  bool stopping_ = false;
  std::uint64_t empty_asked_ = 0;  ///< how often `empty_log` was called
  std::uint64_t empty_done_ = 0;   ///< up to which of these calls it is done
  std::thread thread_;
};

}  // namespace vouch::sqlite
