#include "lane_queue.h"

#include <iterator>

namespace vouch::append {

bool LaneQueue::push(PendingAppend& pending) {
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return false;
    count(pending.ticket.events);
    waiting_.push_back(std::move(pending));
  }
  changed_.notify_one();
  return true;
}

void LaneQueue::put_back(std::vector<PendingAppend> appends) {
  {
    const std::lock_guard lock(mutex_);
    for (const PendingAppend& pending : appends) count(pending.ticket.events);
    waiting_.insert(waiting_.begin(), std::make_move_iterator(appends.begin()),
                    std::make_move_iterator(appends.end()));
  }
  changed_.notify_one();
}

Group LaneQueue::take(std::uint32_t max_events, std::uint64_t max_bytes) {
  Group group;
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return closed_ || !waiting_.empty(); });
  std::uint64_t events = 0;
  std::uint64_t bytes = 0;
  while (!waiting_.empty()) {
    PendingAppend& next = waiting_.front();
    const bool fits =
        events + next.ticket.events <= max_events && bytes + next.ticket.bytes <= max_bytes;
    if (!group.empty() && !fits) break;
    events += next.ticket.events;
    bytes += next.ticket.bytes;
    group.add(std::move(next));
    waiting_.pop_front();
  }
  count(-static_cast<std::int64_t>(events));
  return group;
}

void LaneQueue::close() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  changed_.notify_all();
}

std::vector<PendingAppend> LaneQueue::take_all() {
  const std::lock_guard lock(mutex_);
  std::vector<PendingAppend> appends(std::make_move_iterator(waiting_.begin()),
                                     std::make_move_iterator(waiting_.end()));
  waiting_.clear();
  count(-static_cast<std::int64_t>(events_));
  return appends;
}

std::uint64_t LaneQueue::events() const {
  const std::lock_guard lock(mutex_);
  return events_;
}

}  // namespace vouch::append
