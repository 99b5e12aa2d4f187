#include "readiness.h"

#include <iterator>
#include <utility>

namespace vouch::http {

std::vector<ReadinessCheck> Readiness::checks() {
  std::vector<ReadinessCheck> all = backend_checks();
  std::vector<ReadinessCheck> calls = ask_calls_ ? ask_calls_() : std::vector<ReadinessCheck>();
  all.insert(all.end(), std::move_iterator(calls.begin()), std::move_iterator(calls.end()));
  return all;
}

std::vector<ReadinessCheck> Readiness::backend_checks() {
  std::unique_lock lock(mutex_);
  const auto now = clock_.steady();
  if (asked_ && now - *asked_ < std::chrono::seconds(1) && !asking_) return last_;
  if (asking_) {
    if (answered_.wait_for(lock, kPatience, [this] { return !asking_; })) return last_;
    const auto since = std::chrono::duration_cast<std::chrono::seconds>(clock_.steady() - *asked_);
    return {{"checks", false, "no answer for " + std::to_string(since.count()) + " s"}};
  }
  asking_ = true;
  asked_ = now;
  lock.unlock();
  std::vector<ReadinessCheck> answer = ask_ ? ask_() : std::vector<ReadinessCheck>();
  lock.lock();
  last_ = answer;
  asking_ = false;
  answered_.notify_all();
  return answer;
}

}  // namespace vouch::http
