// The feed's cursor: the `seq` of the last event read, 8 bytes, big endian. The empty cursor is the
// place before the first event. Plain functions, any thread.
#pragma once

#include <cstdint>

#include "vouch/types.h"

namespace vouch::sqlite {

inline Cursor cursor_at(std::uint64_t seq) {
  if (seq == 0) return {};
  Cursor cursor;
  for (int shift = 56; shift >= 0; shift -= 8) {
    cursor.bytes.push_back(static_cast<char>(static_cast<std::uint8_t>(seq >> shift)));
  }
  return cursor;
}

/// Errors: invalid_argument for what `cursor_at` never makes.
inline Result<std::uint64_t> seq_of(const Cursor& cursor) {
  if (cursor.bytes.empty()) return std::uint64_t{0};
  std::uint64_t seq = 0;
  for (const char c : cursor.bytes) seq = (seq << 8U) | static_cast<std::uint8_t>(c);
  if (cursor.bytes.size() != 8 || seq == 0 || (seq >> 63U) != 0) {
    return Status(StatusCode::invalid_argument, "the cursor is not one of this store");
  }
  return seq;
}

}  // namespace vouch::sqlite
