#include "stop_limit.h"

#include <vector>

#include "plugins/duration_text.h"
#include "vouch/thread_name.h"

namespace vouch::app {
namespace {

using std::chrono::steady_clock;

/// Between looks, once the time has passed.
constexpr std::chrono::milliseconds kPause{100};

std::string in_words(const std::vector<plugins::RunningCall>& calls) {
  std::string words;
  for (const plugins::RunningCall& call : calls) {
    if (!words.empty()) words += "; ";
    words += call.call + " of plugin " + call.plugin + " (thread " + call.thread + ", for " +
             plugins::duration_text(call.age) + ")";
  }
  return words;
}

}  // namespace

StopLimit::~StopLimit() {
  {
    const std::lock_guard lock(mutex_);
    over_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void StopLimit::begin(steady_clock::time_point deadline) {
  {
    const std::lock_guard lock(mutex_);
    if (deadline_ && *deadline_ <= deadline) return;
    deadline_ = deadline;
    if (!thread_.joinable()) thread_ = std::thread([this] { wait(); });
  }
  changed_.notify_all();
}

void StopLimit::wait() {
  name_this_thread("stop-limit");
  std::unique_lock lock(mutex_);
  while (!over_) {
    const steady_clock::time_point now = steady_clock::now();
    if (now < *deadline_) {
      const steady_clock::time_point until = *deadline_;
      changed_.wait_until(lock, until, [&] { return over_ || *deadline_ < until; });
      continue;
    }
    lock.unlock();
    const auto stuck = calls_.running_for(kGrace);
    if (!stuck.empty()) end_(in_words(stuck));
    lock.lock();
    changed_.wait_for(lock, kPause, [this] { return over_; });
  }
}

}  // namespace vouch::app
