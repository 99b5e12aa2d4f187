#include "errands.h"

#include <thread>

#include "link_state.h"

namespace broker_redis {

using vouch::Status;

namespace {

constexpr std::chrono::milliseconds kPause{50};

}  // namespace

Status Errands::run(const Errand& errand) {
  const std::lock_guard lock(mutex_);
  const bool kept = connection_ != nullptr;
  for (const bool again : {kept, false}) {
    if (connection_ == nullptr) {
      auto made = servers_.connect(wake_);
      if (!made.ok()) return made.status();
      connection_ = *std::move(made);
    }
    Status status =
        errand(*connection_, std::chrono::steady_clock::now() + options_.command_timeout);
    if (status.ok()) return status;
    // Replies may still be on their way.
    connection_.reset();
    if (!again || !is_passing(status)) return status;
  }
  return {};
}

Status Errands::run_until(Deadline deadline, const std::function<bool()>& give_up,
                          const Errand& errand) {
  while (true) {
    Status status = run(errand);
    if (status.ok() || !is_passing(status) || give_up()) return status;
    if (std::chrono::steady_clock::now() + kPause >= deadline) return status;
    std::this_thread::sleep_for(kPause);
  }
}

void Errands::close() {
  wake_.set();
  const std::lock_guard lock(mutex_);
  connection_.reset();
}

}  // namespace broker_redis
