// Faults: see the header. One mutex guards everything; the decider and waiting happen outside it.
#include "vouch/testkit/faults.h"

#include <utility>

namespace vouch::testkit {

std::string_view to_string(Step step) {
  switch (step) {
    case Step::stage:
      return "stage";
    case Step::publish_validation:
      return "publish_validation";
    case Step::deliver_validation:
      return "deliver_validation";
    case Step::commit:
      return "commit";
    case Step::rollback:
      return "rollback";
    case Step::resolve:
      return "resolve";
    case Step::dead_letter:
      return "dead_letter";
    case Step::erase:
      return "erase";
    case Step::ready:
      return "ready";
    case Step::publish_outbound:
      return "publish_outbound";
    case Step::complete:
      return "complete";
    case Step::read:
      return "read";
    case Step::claim:
      return "claim";
  }
  return "unknown";
}

void Faults::arm(Step step, Fault fault, std::uint32_t times, std::uint32_t skip) {
  const std::lock_guard lock(mutex_);
  armed_[step].push_back({fault, times, skip});
}

void Faults::decide(std::function<Fault(Step)> decider) {
  const std::lock_guard lock(mutex_);
  decider_ = std::move(decider);
}

void Faults::clear() {
  const std::lock_guard lock(mutex_);
  armed_.clear();
  decider_ = nullptr;
  stalled_.clear();
  ++releases_;
  changed_.notify_all();
}

void Faults::release() {
  const std::lock_guard lock(mutex_);
  stalled_.clear();
  ++releases_;
  changed_.notify_all();
}

bool Faults::wait_stalled(Step step, std::chrono::milliseconds limit) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, limit, [&] { return stalled_[step] > 0; });
}

std::vector<std::string> Faults::record() const {
  const std::lock_guard lock(mutex_);
  return record_;
}

void Faults::clear_record() {
  const std::lock_guard lock(mutex_);
  record_.clear();
}

Faults::Taken Faults::take(Step step, std::string_view detail) {
  std::unique_lock lock(mutex_);
  std::string line(to_string(step));
  if (!detail.empty()) line.append(" ").append(detail);
  record_.push_back(std::move(line));

  Fault fault = Fault::none;
  bool decided = false;
  auto& queue = armed_[step];
  if (!queue.empty()) {
    Armed& next = queue.front();
    decided = true;
    if (next.skip > 0) {
      --next.skip;
    } else if (next.times > 0) {
      fault = next.fault;
      --next.times;
    }
    if (next.skip == 0 && next.times == 0) queue.pop_front();
  }
  if (!decided && decider_) {
    const auto decider = decider_;
    lock.unlock();
    fault = decider(step);
    lock.lock();
  }
  if (fault == Fault::stall) {
    ++stalled_[step];
    changed_.notify_all();
  }
  return {fault, releases_};
}

bool Faults::released(const Taken& taken) const {
  const std::lock_guard lock(mutex_);
  return releases_ != taken.ticket;
}

Fault Faults::pass(Step step, std::string_view detail) {
  const Taken taken = take(step, detail);
  if (taken.fault != Fault::stall) return taken.fault;
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return releases_ != taken.ticket; });
  return Fault::none;
}

}  // namespace vouch::testkit
