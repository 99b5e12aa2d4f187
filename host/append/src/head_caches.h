// HeadCaches: a HeadCache for each partition, shared by the lanes. What a cache says is a hint: the
// storage's key on (stream, version) catches one that is too low. One that is too high would leave
// a gap, and comes about only when the database behind a session lost what it had committed (a
// replica that took over, a restored backup): whoever gets a new session clears everything, and
// what was learnt before that is not put in any more. [any-thread]
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <deque>
#include <mutex>

#include "head_cache.h"

namespace vouch::append {

class HeadCaches {
 public:
  /// `capacity` streams in all partitions together.
  HeadCaches(std::uint32_t partitions, std::size_t capacity) {
    const std::size_t each =
        capacity == 0 ? 0 : std::max<std::size_t>(1, capacity / std::max(1U, partitions));
    for (std::uint32_t i = 0; i < partitions; ++i) parts_.emplace_back(each);
  }

  std::optional<Version> find(Partition partition, const StreamName& stream) {
    Part& part = parts_[partition.value];
    const std::lock_guard lock(part.mutex);
    return part.heads.find(stream);
  }

  /// What `put` wants to be told by whoever learns something from the database from now on.
  [[nodiscard]] std::uint64_t generation() const { return generation_.load(); }

  void put(Partition partition, const StreamName& stream, Version head, std::uint64_t generation) {
    Part& part = parts_[partition.value];
    const std::lock_guard lock(part.mutex);
    if (generation == generation_.load()) part.heads.put(stream, head);
  }

  void erase(Partition partition, const StreamName& stream) {
    Part& part = parts_[partition.value];
    const std::lock_guard lock(part.mutex);
    part.heads.erase(stream);
  }

  void clear() {
    ++generation_;
    for (Part& part : parts_) {
      const std::lock_guard lock(part.mutex);
      part.heads.clear();
    }
  }

 private:
  struct Part {
    explicit Part(std::size_t capacity) : heads(capacity) {}
    std::mutex mutex;
    HeadCache heads;
  };
  std::deque<Part> parts_;
  std::atomic<std::uint64_t> generation_{0};
};

}  // namespace vouch::append
