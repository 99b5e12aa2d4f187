// MarkFlusher: writes pending marks when no lane does. Its thread sleeps without a time-out while
// nothing is pending. `wake` is for any thread; start and stop for one.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "backend.h"

namespace vouch::sqlite {

class MarkFlusher {
 public:
  explicit MarkFlusher(Backend& backend) : backend_(backend) {}
  MarkFlusher(const MarkFlusher&) = delete;
  MarkFlusher& operator=(const MarkFlusher&) = delete;
  ~MarkFlusher() { stop(); }

  void start();
  /// Ends the thread and writes what is pending. Idempotent.
  void stop();
  /// To be called when marks became pending.
  void wake();

 private:
  void run();
  /// Whether everything that was pending is written.
  bool flush();

  Backend& backend_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace vouch::sqlite
