// AppendQueue: the appends that wait to be written, by partition, and the rule by which lanes take
// them.
//
// A lane begins when no transaction is open, and takes what waits in every partition. Another lane
// begins beside it when more waits than one group holds. So what a few clients send is written by
// one lane at a time, in groups that grow with the load, which costs a database half of what
// several lanes with small groups cost; and lanes write side by side as soon as there is work for
// several. (The idea of Nagle's algorithm, RFC 896: what is small waits while something is under
// way.)
//
// Two transactions with the same stream would wait for each other in the database, so a partition
// is held until its transaction is over. But one that takes long shall hold up nobody: after
// `patience` others begin, with its partitions too, and the database tells apart who is first.
//
// The bound on what may wait is kept by AppendService. [any-thread]
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <vector>

#include "pending_append.h"

namespace vouch::append {

/// How much one transaction writes at most.
struct GroupLimits {
  std::uint32_t events = 0;
  std::uint64_t bytes = 0;
};

class AppendQueue {
 public:
  /// A group and the partitions that it holds until this is destroyed. Whoever destroys it calls
  /// `take` next, or is the last to do so.
  class Taken {
   public:
    Taken(AppendQueue& queue, Group group, std::vector<std::uint32_t> partitions);
    Taken(const Taken&) = delete;
    Taken& operator=(const Taken&) = delete;
    ~Taken();
    Group group;

   private:
    AppendQueue& queue_;
    std::vector<std::uint32_t> partitions_;
  };

  /// `gauge` shows how many events wait.
  AppendQueue(std::uint32_t partitions, GroupLimits limits, std::chrono::milliseconds patience,
              Gauge& gauge);

  /// Into the partition of its first write. False when the queue is closed; `pending` is then left
  /// as it was.
  bool push(PendingAppend& pending);

  /// Puts appends back in front, in their order; also when closed.
  void put_back(std::vector<PendingAppend> appends);

  /// Takes that append out, if no lane has taken it yet.
  std::optional<PendingAppend> withdraw(std::uint64_t number);

  /// Waits until a lane may begin, then takes what fits under both limits, at least one append,
  /// from the partition that waits longest first. An empty group means that the queue is closed and
  /// empty.
  Taken take();

  /// No more pushes; `take` goes on until the queue is empty.
  void close();

  /// Takes everything, without waiting.
  std::vector<PendingAppend> take_all();

  [[nodiscard]] std::uint64_t events() const;

 private:
  using Clock = std::chrono::steady_clock;

  struct Slot {
    std::deque<PendingAppend> waiting;
    std::uint64_t events = 0;  ///< that wait, and their bytes
    std::uint64_t bytes = 0;
    std::uint32_t holders = 0;
    Clock::time_point held_since;  ///< of the youngest holder
  };

  // Pre of all: the mutex is held.
  void count(Slot& slot, const PendingAppend& pending, bool comes);
  [[nodiscard]] bool takeable(const Slot& slot, Clock::time_point now) const;
  [[nodiscard]] bool fills_a_group(Clock::time_point now) const;
  [[nodiscard]] bool may_begin(Clock::time_point now) const;
  /// The partitions to take from, in order.
  [[nodiscard]] std::vector<std::uint32_t> choose(Clock::time_point now) const;
  void wait_for_change(std::unique_lock<std::mutex>& lock, Clock::time_point now);
  void give_up(const std::vector<std::uint32_t>& partitions);

  const GroupLimits limits_;
  const std::chrono::milliseconds patience_;
  Gauge& gauge_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Slot> slots_;
  std::uint64_t events_ = 0;
  std::uint64_t appends_ = 0;
  std::uint32_t open_ = 0;        ///< transactions
  Clock::time_point last_begin_;  ///< of the youngest
  bool watched_ = false;          ///< a lane sleeps no longer than patience allows
  bool closed_ = false;
};

}  // namespace vouch::append
