// The columns of an event in the order in which every reading statement asks for them. Plain
// functions, any thread.
#pragma once

#include "parameters.h"
#include "vouch/event.h"

namespace vouch::postgres {

#define VOUCH_EVENT_COLUMNS \
  "e.id, e.stream, e.version, e.type, e.time, e.content_type, e.data, e.metadata"

inline constexpr int kEventColumns = 8;

/// Views into `rows`. `first` is the column of the id.
inline EventView event_view(const Rows& rows, int row, int first = 0) {
  EventView event;
  if (const auto id = EventId::from_bytes(rows.bytes(row, first))) event.id = *id;
  event.stream = rows.bytes(row, first + 1);
  event.version = {rows.number(row, first + 2)};
  event.type = rows.bytes(row, first + 3);
  event.time = {rows.integer(row, first + 4)};
  event.content_type = rows.bytes(row, first + 5);
  event.data = rows.bytes(row, first + 6);
  event.metadata = rows.bytes(row, first + 7);
  return event;
}

/// Rows for the next statement, so that one answer holds some megabytes: starts small, and follows
/// the size of what came.
class PageSize {
 public:
  explicit PageSize(std::uint32_t first = 256) : rows_(first) {}
  [[nodiscard]] std::uint32_t rows() const { return rows_; }
  void saw(std::uint64_t rows, std::uint64_t bytes) {
    constexpr std::uint64_t kMostBytes = 4U << 20U;
    constexpr std::uint64_t kMostRows = 5'000;
    if (rows == 0) return;
    const std::uint64_t fit = kMostBytes / (bytes / rows + 1);
    const std::uint64_t most = rows_ * std::uint64_t{8};
    rows_ =
        static_cast<std::uint32_t>(std::max<std::uint64_t>(std::min({fit, most, kMostRows}), 8));
  }

 private:
  std::uint32_t rows_;
};

inline std::uint64_t bytes_of(const EventView& event) {
  return event.data.size() + event.metadata.size() + event.stream.size() + 128;
}

}  // namespace vouch::postgres
