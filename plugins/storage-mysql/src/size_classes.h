// Statements over many values are prepared once for each power of two, so that any number of values
// runs on a few of them. Plain functions, any thread.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <string>
#include <string_view>

namespace vouch::mysql {

/// The largest class that `count` values fill, at most `limit`. Pre: count > 0; limit is a power of
/// two.
inline std::size_t full_class(std::size_t count, std::size_t limit) {
  return std::min(std::bit_floor(count), limit);
}

/// The smallest class that holds `count` values, at most `limit`: the rest is filled up by
/// repeating one of them. Pre: as above.
inline std::size_t holding_class(std::size_t count, std::size_t limit) {
  return std::min(std::bit_ceil(count), limit);
}

/// `item` `count` times, with `between` them.
inline std::string repeated(std::string_view item, std::size_t count, std::string_view between) {
  std::string text;
  text.reserve(count * (item.size() + between.size()));
  for (std::size_t i = 0; i < count; ++i) {
    if (i > 0) text += between;
    text += item;
  }
  return text;
}

}  // namespace vouch::mysql
