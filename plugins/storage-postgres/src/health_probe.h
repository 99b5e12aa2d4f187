// HealthProbe: asks the server whether it answers, on a session and a thread of its own, so that
// whoever wants to know waits less than a second, also when nothing answers at all. Sleeps while
// nobody asks. [any-thread]
#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>

#include "backend.h"

namespace vouch::postgres {

class HealthProbe {
 public:
  explicit HealthProbe(Backend& backend);
  HealthProbe(const HealthProbe&) = delete;
  HealthProbe& operator=(const HealthProbe&) = delete;
  ~HealthProbe() { stop(); }

  /// Not ok, in words, when the server does not answer in time, is a replica, or is gone.
  Status ask();

  /// Waits for a question that is under way, some seconds at most. Idempotent; `ask` starts again.
  void stop();

 private:
  void run();
  Status probe();

  Backend& backend_;
  Options options_;                   ///< with less patience than the others'
  std::unique_ptr<Session> session_;  ///< the thread's
  std::mutex mutex_;                  ///< guards what follows
  std::condition_variable changed_;
  bool asking_ = false;
  bool stopping_ = false;
  std::chrono::steady_clock::time_point since_;
  std::uint64_t answers_ = 0;
  Status last_;
  std::thread thread_;
};

}  // namespace vouch::postgres
