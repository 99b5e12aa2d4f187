// RetryPause: how long something that failed is left alone; each failure doubles it. Of one thread.
#pragma once

#include <algorithm>
#include <chrono>

#include "saga/saga.h"

namespace vouch::saga {

struct RetryPause {
  std::chrono::steady_clock::time_point until{};
  std::chrono::milliseconds length{0};  ///< 0 after a success

  void grow(std::chrono::steady_clock::time_point now, const SagaOptions& options) {
    length = length.count() == 0 ? options.first_retry : std::min(length * 2, options.max_retry);
    until = now + length;
  }
  void reset() { *this = {}; }
};

}  // namespace vouch::saga
