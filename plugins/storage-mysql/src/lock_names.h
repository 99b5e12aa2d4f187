// Names of the locks that GET_LOCK takes. They hold for the whole server and have at most 64
// characters, so database and store go in as a hash; lower case, since the server does not tell
// case apart. Plain functions, any thread.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "vouch/types.h"

namespace vouch::mysql {

class LockNames {
 public:
  LockNames() = default;
  LockNames(std::string_view database, std::string_view store)
      : prefix_("vouch:" + hex(hash(database, hash(store, 0xcbf29ce484222325ULL) ^ 0xffU))) {}

  [[nodiscard]] std::string lane(LaneNumber lane) const {
    return prefix_ + ":lane:" + std::to_string(lane.value);
  }
  [[nodiscard]] std::string partition(Partition partition) const {
    return prefix_ + ":partition:" + std::to_string(partition.value);
  }
  /// Taken while migrations run; before the store's name is known.
  [[nodiscard]] static std::string schema(std::string_view database) {
    return LockNames(database, "").prefix_ + ":schema";
  }

 private:
  /// 64-bit FNV-1a.
  static std::uint64_t hash(std::string_view text, std::uint64_t seed) {
    for (const char c : text) {
      seed ^= static_cast<std::uint8_t>(c);
      seed *= 0x100000001b3ULL;
    }
    return seed;
  }
  static std::string hex(std::uint64_t value) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string text(16, '0');
    for (std::size_t i = 16; i-- > 0; value >>= 4U) text[i] = kDigits[value & 0xfU];
    return text;
  }

  std::string prefix_;
};

}  // namespace vouch::mysql
