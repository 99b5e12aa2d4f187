#include "readiness.h"

namespace vouch::http {

std::vector<ReadinessCheck> Readiness::checks() {
  const std::lock_guard lock(mutex_);
  const auto now = clock_.steady();
  if (!asked_ || now - *asked_ >= std::chrono::seconds(1)) {
    last_ = ask_ ? ask_() : std::vector<ReadinessCheck>();
    asked_ = now;
  }
  return last_;
}

}  // namespace vouch::http
