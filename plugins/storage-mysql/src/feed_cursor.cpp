#include "feed_cursor.h"

#include <algorithm>

namespace vouch::mysql {

namespace {

constexpr char kFormat = 1;
constexpr std::size_t kLaneBytes = 4;
constexpr std::size_t kPlaceBytes = 8;

void put(std::string& bytes, std::uint64_t value, std::size_t width) {
  for (std::size_t i = width; i-- > 0;) {
    bytes.push_back(static_cast<char>(static_cast<std::uint8_t>(value >> (8 * i))));
  }
}

std::uint64_t take(std::string_view& bytes, std::size_t width) {
  std::uint64_t value = 0;
  for (const char c : bytes.substr(0, width)) value = (value << 8U) | static_cast<std::uint8_t>(c);
  bytes.remove_prefix(width);
  return value;
}

}  // namespace

bool FeedCursor::reached(const FeedCursor& other) const {
  return std::ranges::all_of(
      other.places, [this](const auto& entry) { return place(entry.first) >= entry.second; });
}

Cursor FeedCursor::encode() const {
  if (places.empty()) return {};
  Cursor cursor;
  cursor.bytes.reserve(1 + places.size() * (kLaneBytes + kPlaceBytes));
  cursor.bytes.push_back(kFormat);
  for (const auto& [lane, place] : places) {
    put(cursor.bytes, lane, kLaneBytes);
    put(cursor.bytes, place, kPlaceBytes);
  }
  return cursor;
}

Result<FeedCursor> FeedCursor::decode(const Cursor& cursor) {
  FeedCursor decoded;
  if (cursor.bytes.empty()) return decoded;
  const Status wrong(StatusCode::invalid_argument, "the cursor is not one of this store");
  std::string_view left = cursor.bytes;
  const bool format = left.front() == kFormat;
  left.remove_prefix(1);
  if (!format || left.empty() || left.size() % (kLaneBytes + kPlaceBytes) != 0) return wrong;
  std::int64_t last = -1;
  while (!left.empty()) {
    const auto lane = static_cast<std::uint32_t>(take(left, kLaneBytes));
    const std::uint64_t place = take(left, kPlaceBytes);
    if (std::int64_t{lane} <= last || place == 0) return wrong;
    last = lane;
    decoded.places.emplace(lane, place);
  }
  return decoded;
}

}  // namespace vouch::mysql
