// FeedCursor: a place in the feed: for each lane the last place that was read. As bytes: a format
// number, then lane (4) and place (8) of each lane in rising order, big endian. The empty cursor is
// the place before the first event. Plain values, any thread.
#pragma once

#include <cstdint>
#include <map>

#include "vouch/types.h"

namespace vouch::mysql {

struct FeedCursor {
  std::map<std::uint32_t, std::uint64_t> places;  ///< by lane; none is 0

  [[nodiscard]] std::uint64_t place(std::uint32_t lane) const {
    const auto found = places.find(lane);
    return found == places.end() ? 0 : found->second;
  }
  /// Whether it is at or behind `other` in every lane.
  [[nodiscard]] bool reached(const FeedCursor& other) const;

  [[nodiscard]] Cursor encode() const;
  /// Errors: invalid_argument for what `encode` never makes.
  static Result<FeedCursor> decode(const Cursor& cursor);
};

}  // namespace vouch::mysql
