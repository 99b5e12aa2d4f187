// LiveBatch: a stretch of the live feed as followers get it: each entry is made into text once for
// each format, however many followers take it. Used by the follow hub's thread alone, for one pass
// over the followers.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "message.h"
#include "read/live_feed.h"

namespace vouch::http {

class LiveBatch {
 public:
  /// `live_feed` must outlive it.
  explicit LiveBatch(const read::LiveFeed& live_feed) : live_feed_(live_feed) {}

  enum class Found : std::uint8_t { entry, nothing_yet, passed };
  /// Makes the entry at `index` current. `passed`: the ring has moved beyond it.
  Found seek(std::uint64_t index);

  /// Of the current entry.
  [[nodiscard]] const read::FeedEntry& entry() const { return *entries_[current_].entry; }
  const std::string& text(FollowFormat format);

 private:
  struct Slot {
    read::FeedEntryPtr entry;
    std::array<std::string, 2> text;
  };
  const read::LiveFeed& live_feed_;
  std::uint64_t first_ = 0;
  std::vector<Slot> entries_;
  std::optional<std::uint64_t> end_;  ///< the live feed had nothing at this index in this pass
  std::size_t current_ = 0;
};

}  // namespace vouch::http
