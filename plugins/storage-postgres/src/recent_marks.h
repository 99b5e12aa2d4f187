// RecentMarks: deliveries that this host marked and that a crash of the server could still take
// back, since a mark does not wait for the disk. While the host runs they count as delivered
// whatever the table says; they are written once more when the server may have crashed since.
// [any-thread]
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <span>
#include <vector>

#include "vouch/types.h"

namespace vouch::postgres {

class RecentMarks {
 public:
  using Time = std::chrono::steady_clock::time_point;

  [[nodiscard]] bool contains(const DeliveryId& id) const {
    const std::lock_guard lock(mutex_);
    return marks_.contains(id);
  }

  /// Marks that a session opened at `opened` can't vouch for: the server may have crashed between
  /// the mark and the session's beginning.
  [[nodiscard]] std::vector<DeliveryId> doubtful(Time opened) const {
    const std::lock_guard lock(mutex_);
    std::vector<DeliveryId> ids;
    for (const auto& [id, mark] : marks_) {
      if (mark.at <= opened) ids.push_back(id);
    }
    return ids;
  }

  /// A session that is alive and was opened at `opened` committed the marks of `ids` before the log
  /// had come to `written`, and the server's disk has the log up to `flushed`.
  void marked(std::span<const DeliveryId> ids, std::int64_t written, std::int64_t flushed,
              Time opened) {
    const std::lock_guard lock(mutex_);
    const Time now = std::chrono::steady_clock::now();
    for (const DeliveryId& id : ids) marks_[id] = {written, now};
    // The session lived before these marks and lives now: no crash took them back, and none can.
    std::erase_if(marks_, [&](const auto& entry) {
      return entry.second.written <= flushed && entry.second.at > opened;
    });
  }

 private:
  struct Mark {
    std::int64_t written = 0;  ///< end of the server's log right after it
    Time at;
  };
  mutable std::mutex mutex_;
  std::map<DeliveryId, Mark> marks_;
};

}  // namespace vouch::postgres
