// Reads events page by page into text, so that an answer of any length takes bounded memory. One
// pager serves one answer and is used by one thread at a time.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "accept.h"
#include "format/cloud_event.h"
#include "vouch/storage.h"

namespace vouch::http {

enum class EventFormat : std::uint8_t { json = 0, ndjson = 1, cloud_events = 2 };
/// What lists of events are offered as, by EventFormat.
inline constexpr std::array<std::string_view, 3> kEventListTypes = {
    kJson, kNdjson, format::kCloudEventBatchMediaType};

/// A piece of an answer that is streamed; and the size at which a JSON page ends early, with
/// `next`.
inline constexpr std::size_t kPieceBytes = 1U << 20U;
inline constexpr std::size_t kPageBytes = 8U << 20U;
/// Events asked of the storage at once.
inline constexpr std::uint32_t kPageEvents = 1'000;

/// Appends an event as one line without the line's end. Line breaks between JSON tokens become
/// spaces: a string can't hold a raw one, so no value changes.
void append_event_line(std::string& out, const EventView& event, std::string_view cursor_text);

/// Appends events in a format, with what stands between them.
class EventWriter {
 public:
  EventWriter(EventFormat format, std::string store) : format_(format), store_(std::move(store)) {}
  void append(std::string& out, const EventView& event, std::string_view cursor_text = {});

 private:
  EventFormat format_;
  std::string store_;
  bool first_ = true;
};

/// The events of one stream up to `head`, whatever is appended meanwhile.
class StreamPager final : private EventSink {
 public:
  struct Range {
    StreamName stream;
    Version head;
    Version from;
    Direction direction = Direction::forward;
    std::uint64_t limit = std::numeric_limits<std::uint64_t>::max();
  };
  /// `reader` must outlive it.
  StreamPager(Reader& reader, Range range, EventWriter writer);

  /// Appends events until `done` or until about `max_bytes` were appended. Errors: of the storage;
  /// corrupt when events up to the head are missing.
  Status read(std::string& out, std::size_t max_bytes);

  /// The limit or the end is reached.
  [[nodiscard]] bool done() const { return range_.limit == 0 || !next(); }
  /// The version to read on from; nothing at the end.
  [[nodiscard]] std::optional<Version> next() const;

 private:
  bool event(const EventView& event) override;

  Reader& reader_;
  Range range_;
  EventWriter writer_;
  std::string* out_ = nullptr;
  std::size_t stop_size_ = 0;
  std::uint32_t given_ = 0;
};

/// Events of the feed, each with its cursor.
class FeedPager final : private FeedSink {
 public:
  /// `query.limit` bounds the whole; `reader` must outlive it.
  FeedPager(Reader& reader, FeedQuery query, std::uint64_t limit, EventWriter writer);

  /// Appends events until `done`, until about `max_bytes` were appended, or for about a second: may
  /// append nothing before the end.
  Status read(std::string& out, std::size_t max_bytes);

  [[nodiscard]] bool done() const { return limit_ == 0 || at_end_; }
  [[nodiscard]] bool at_end() const { return at_end_; }
  [[nodiscard]] const Cursor& next() const { return query_.after; }

 private:
  bool event(const EventView& event, std::string_view after) override;

  Reader& reader_;
  FeedQuery query_;
  std::uint64_t limit_;
  EventWriter writer_;
  bool at_end_ = false;
  std::string* out_ = nullptr;
  std::size_t stop_size_ = 0;
  bool full_ = false;
};

}  // namespace vouch::http
