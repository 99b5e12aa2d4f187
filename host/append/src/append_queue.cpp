#include "append_queue.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace vouch::append {

AppendQueue::Taken::Taken(AppendQueue& queue, Group taken, std::vector<std::uint32_t> partitions)
    : group(std::move(taken)), queue_(queue), partitions_(std::move(partitions)) {}

AppendQueue::Taken::~Taken() {
  if (!partitions_.empty()) queue_.give_up(partitions_);
}

AppendQueue::AppendQueue(std::uint32_t partitions, GroupLimits limits,
                         std::chrono::milliseconds patience, Gauge& gauge)
    : limits_(limits), patience_(patience), gauge_(gauge), slots_(partitions) {}

bool AppendQueue::push(PendingAppend& pending) {
  bool wake = false;
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return false;
    Slot& slot = slots_[pending.partition()];
    count(slot, pending, true);
    slot.waiting.push_back(std::move(pending));
    // The first one calls a lane, and whoever comes after it is taken along. While a transaction is
    // open, one free lane watches, and more are called when there is work for more.
    wake = open_ == 0 ? appends_ == 1 : !watched_ || fills_a_group(Clock::now());
  }
  if (wake) changed_.notify_one();
  return true;
}

void AppendQueue::put_back(std::vector<PendingAppend> appends) {
  {
    const std::lock_guard lock(mutex_);
    for (auto pending = appends.rbegin(); pending != appends.rend(); ++pending) {
      Slot& slot = slots_[pending->partition()];
      count(slot, *pending, true);
      slot.waiting.push_front(std::move(*pending));
    }
  }
  changed_.notify_one();
}

std::optional<PendingAppend> AppendQueue::withdraw(std::uint64_t number) {
  const std::lock_guard lock(mutex_);
  for (Slot& slot : slots_) {
    const auto found = std::ranges::find(
        slot.waiting, number, [](const PendingAppend& pending) { return pending.ticket.number; });
    if (found == slot.waiting.end()) continue;
    PendingAppend pending = std::move(*found);
    slot.waiting.erase(found);
    count(slot, pending, false);
    if (closed_ && appends_ == 0) changed_.notify_all();
    return pending;
  }
  return std::nullopt;
}

AppendQueue::Taken AppendQueue::take() {
  std::unique_lock lock(mutex_);
  while (!may_begin(Clock::now())) {
    if (closed_ && appends_ == 0) return {*this, Group{}, {}};
    wait_for_change(lock, Clock::now());
  }
  const Clock::time_point now = Clock::now();
  Group group;
  std::vector<std::uint32_t> held;
  std::uint64_t events = 0;
  std::uint64_t bytes = 0;
  bool full = false;
  for (const std::uint32_t partition : choose(now)) {
    Slot& slot = slots_[partition];
    bool any = false;
    while (!slot.waiting.empty()) {
      PendingAppend& next = slot.waiting.front();
      const bool fits = events + next.ticket.events <= limits_.events &&
                        bytes + next.ticket.bytes <= limits_.bytes;
      full = !group.empty() && !fits;
      if (full) break;
      events += next.ticket.events;
      bytes += next.ticket.bytes;
      count(slot, next, false);
      group.add(std::move(next));
      slot.waiting.pop_front();
      any = true;
    }
    if (any) {
      ++slot.holders;
      slot.held_since = now;
      held.push_back(partition);
    }
    if (full) break;
  }
  ++open_;
  last_begin_ = now;
  // There may be work for one more lane; if not, it watches.
  if (appends_ > 0 && (!watched_ || fills_a_group(now))) changed_.notify_one();
  if (closed_ && appends_ == 0) changed_.notify_all();
  return {*this, std::move(group), std::move(held)};
}

/// Calls no other lane: the one that is done takes what came meanwhile.
void AppendQueue::give_up(const std::vector<std::uint32_t>& partitions) {
  const std::lock_guard lock(mutex_);
  --open_;
  for (const std::uint32_t partition : partitions) --slots_[partition].holders;
}

void AppendQueue::close() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  changed_.notify_all();
}

std::vector<PendingAppend> AppendQueue::take_all() {
  std::vector<PendingAppend> appends;
  {
    const std::lock_guard lock(mutex_);
    for (Slot& slot : slots_) {
      for (PendingAppend& pending : slot.waiting) {
        count(slot, pending, false);
        appends.push_back(std::move(pending));
      }
      slot.waiting.clear();
    }
  }
  changed_.notify_all();
  return appends;
}

std::uint64_t AppendQueue::events() const {
  const std::lock_guard lock(mutex_);
  return events_;
}

void AppendQueue::count(Slot& slot, const PendingAppend& pending, bool comes) {
  const std::uint64_t sign = comes ? 1 : ~std::uint64_t{0};
  slot.events += sign * pending.ticket.events;
  slot.bytes += sign * pending.ticket.bytes;
  events_ += sign * pending.ticket.events;
  appends_ += sign;
  gauge_.set(static_cast<double>(events_));
}

bool AppendQueue::takeable(const Slot& slot, Clock::time_point now) const {
  if (slot.waiting.empty()) return false;
  return slot.holders == 0 || now - slot.held_since >= patience_;
}

bool AppendQueue::fills_a_group(Clock::time_point now) const {
  if (events_ < limits_.events && appends_ < 2) return false;
  std::uint64_t events = 0;
  std::uint64_t bytes = 0;
  for (const Slot& slot : slots_) {
    if (!takeable(slot, now)) continue;
    events += slot.events;
    bytes += slot.bytes;
  }
  return events >= limits_.events || bytes >= limits_.bytes;
}

bool AppendQueue::may_begin(Clock::time_point now) const {
  if (appends_ == 0) return false;
  if (open_ == 0) return true;
  if (fills_a_group(now)) return true;
  if (now - last_begin_ < patience_) return false;
  return std::any_of(slots_.begin(), slots_.end(),
                     [&](const Slot& slot) { return takeable(slot, now); });
}

std::vector<std::uint32_t> AppendQueue::choose(Clock::time_point now) const {
  std::vector<std::uint32_t> partitions;
  for (std::uint32_t i = 0; i < slots_.size(); ++i) {
    if (takeable(slots_[i], now)) partitions.push_back(i);
  }
  std::sort(partitions.begin(), partitions.end(), [this](std::uint32_t a, std::uint32_t b) {
    return slots_[a].waiting.front().ticket.taken < slots_[b].waiting.front().ticket.taken;
  });
  return partitions;
}

/// Pre: nothing may be taken now.
void AppendQueue::wait_for_change(std::unique_lock<std::mutex>& lock, Clock::time_point now) {
  if (watched_ || appends_ == 0) return changed_.wait(lock);
  // From then on every partition that is held now is takeable.
  const Clock::time_point until = std::max(last_begin_ + patience_, now);
  watched_ = true;
  changed_.wait_until(lock, until);
  watched_ = false;
}

}  // namespace vouch::append
