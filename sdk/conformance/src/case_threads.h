// CaseThreads: threads of a case. What one of them finds is what the case fails with, whichever
// thread found it. `start` and `join` are called by the case's own thread.
#pragma once

#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace vouch::conformance {

class CaseThreads {
 public:
  CaseThreads() = default;
  CaseThreads(const CaseThreads&) = delete;
  CaseThreads& operator=(const CaseThreads&) = delete;
  /// Waits for those that were not joined; the bodies must come to their ends by themselves.
  ~CaseThreads();

  void start(std::function<void()> body);
  /// Whether a body threw. [any-thread]
  [[nodiscard]] bool failed() const;
  /// Waits for all of them, then throws what the first one threw.
  void join();

 private:
  void wait();

  mutable std::mutex mutex_;
  std::exception_ptr failure_;
  std::vector<std::thread> threads_;
};

/// Runs `body(i)` on `count` threads; rethrows the first failure after all ended.
void on_threads(std::uint32_t count, const std::function<void(std::uint32_t)>& body);

}  // namespace vouch::conformance
