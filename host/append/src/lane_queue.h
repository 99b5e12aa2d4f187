// LaneQueue: the appends that wait for one lane, in the order in which they came. The bound on all
// queues together is kept by AppendService. [any-thread]
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <vector>

#include "pending_append.h"

namespace vouch::append {

class LaneQueue {
 public:
  /// `waiting_events` counts the events in all queues, `gauge` shows it.
  LaneQueue(std::atomic<std::int64_t>& waiting_events, Gauge& gauge)
      : waiting_events_(waiting_events), gauge_(gauge) {}

  /// False when the queue is closed; `pending` is then left as it was.
  bool push(PendingAppend& pending);

  /// Puts appends back in front, in their order; also when closed.
  void put_back(std::vector<PendingAppend> appends);

  /// Waits for an append, then takes what fits under both limits, at least one. An empty group
  /// means that the queue is closed and empty.
  Group take(std::uint32_t max_events, std::uint64_t max_bytes);

  /// No more pushes; `take` goes on until the queue is empty.
  void close();

  /// Takes everything, without waiting.
  std::vector<PendingAppend> take_all();

  [[nodiscard]] std::uint64_t events() const;

 private:
  /// Pre: the mutex is held.
  void count(std::int64_t change) {
    events_ = static_cast<std::uint64_t>(static_cast<std::int64_t>(events_) + change);
    gauge_.set(static_cast<double>(waiting_events_ += change));
  }

  std::atomic<std::int64_t>& waiting_events_;
  Gauge& gauge_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<PendingAppend> waiting_;
  std::uint64_t events_ = 0;
  bool closed_ = false;
};

}  // namespace vouch::append
