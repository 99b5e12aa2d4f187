// Reader: the part of the storage contract that reads committed events. Thread tags: see storage.h.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vouch/event.h"
#include "vouch/types.h"

namespace vouch {

enum class Direction : std::uint8_t { forward = 0, backward = 1 };

/// Empty members match everything.
struct FeedFilter {
  std::string category;
  std::string type;
  std::string stream;
};

struct FeedQuery {
  Cursor after;
  /// Nothing behind this place is given; `at_end` then means that it was reached. Pre: `after` does
  /// not lie behind it.
  std::optional<Cursor> until;
  FeedFilter filter;
  std::uint32_t limit = 0;
};

/// Takes feed events with the cursor that reads on behind each.
class FeedSink {
 public:
  /// Returns false to end the page early; `after` is then the page's cursor.
  virtual bool event(const EventView& event, std::string_view after) = 0;

 protected:
  ~FeedSink() = default;
};

struct FeedPage {
  Cursor next;          ///< reads on from here; behind the last event looked at, matching or not
  bool at_end = false;  ///< nothing (up to `until`) was committed behind `next` at the time
};

/// A stream and its head.
class StreamSink {
 public:
  virtual bool stream(std::string_view name, Version head) = 0;

 protected:
  ~StreamSink() = default;
};

/// Committed events only. [any-thread] for all methods. Memory use does not grow with the length of
/// a stream; no database snapshot is held between calls.
class Reader {
 public:
  /// Events of a stream from version `from` (inclusive), at most `limit`, in `direction`.
  /// A stream that does not exist has no events. `from` 0 means 1 forward, the head backward.
  virtual Status stream(const StreamName& stream, Version from, Direction direction,
                        std::uint32_t limit, EventSink& sink) = 0;

  /// The head of each stream, 0 for one that does not exist.
  virtual Result<std::vector<Version>> heads(std::span<const StreamName> streams) = 0;

  /// Gives the event with that id to the sink. Errors: not_found.
  virtual Status event(const EventId& id, EventSink& sink) = 0;

  /// Matching events behind `query.after`, in an order in which a stream's versions rise. No event
  /// ever turns up at or before a cursor that was given out. (Two readers may see the events of
  /// different streams in different orders.) May give fewer than the limit without being at the
  /// end, so that a rare filter can't hold a session long.
  /// Errors: invalid_argument for a cursor that this store never gave out.
  virtual Result<FeedPage> feed(const FeedQuery& query, FeedSink& sink) = 0;

  /// Whether `cursor` is at or behind `target` in every respect: nothing up to `target` remains to
  /// be read from `cursor`. Asks nobody. Errors: invalid_argument.
  virtual Result<bool> reached(const Cursor& cursor, const Cursor& target) = 0;

  /// The cursor behind everything that is committed now.
  virtual Result<Cursor> feed_end() = 0;

  /// Streams whose names sort after `after` (bytewise), of one category if that is not empty.
  virtual Status streams(std::string_view category, std::string_view after, std::uint32_t limit,
                         StreamSink& sink) = 0;

 protected:
  ~Reader() = default;
};

}  // namespace vouch
