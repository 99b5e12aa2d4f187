#include "case_threads.h"

#include <utility>

namespace vouch::conformance {

CaseThreads::~CaseThreads() {
  wait();
}

void CaseThreads::start(std::function<void()> body) {
  threads_.emplace_back([this, run = std::move(body)] {
    try {
      run();
    } catch (...) {
      const std::lock_guard lock(mutex_);
      if (!failure_) failure_ = std::current_exception();
    }
  });
}

bool CaseThreads::failed() const {
  const std::lock_guard lock(mutex_);
  return failure_ != nullptr;
}

void CaseThreads::join() {
  wait();
  if (failure_) std::rethrow_exception(failure_);
}

void CaseThreads::wait() {
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

void on_threads(std::uint32_t count, const std::function<void(std::uint32_t)>& body) {
  CaseThreads threads;
  for (std::uint32_t i = 0; i < count; ++i) threads.start([&body, i] { body(i); });
  threads.join();
}

}  // namespace vouch::conformance
