// LiveFeed: one tailer for the host reads the end of the feed and keeps the newest events in a
// bounded ring, from which any number of followers are served without asking the database.
//
// A follower joins without a gap: `position()` gives a cursor and the ring index behind it at one
// moment; it reads the database up to that cursor (FeedQuery::until), then goes on from that index.
// If the ring has moved past its index meanwhile, it reads the database again. [any-thread]
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vouch/event.h"
#include "vouch/host_services.h"
#include "vouch/storage.h"

namespace vouch::read {

/// An event of the feed and the cursor behind it, their texts in one piece of memory.
class FeedEntry {
 public:
  FeedEntry(const EventView& event, std::string_view after);
  // The views point into the text.
  FeedEntry(const FeedEntry&) = delete;
  FeedEntry& operator=(const FeedEntry&) = delete;
  ~FeedEntry() = default;

  [[nodiscard]] const EventView& event() const { return event_; }
  /// Cursor bytes behind the event.
  [[nodiscard]] std::string_view after() const { return after_; }
  /// Bytes that it takes.
  [[nodiscard]] std::uint64_t size() const { return sizeof *this + text_.size(); }

 private:
  std::string text_;
  EventView event_;
  std::string_view after_;
};
using FeedEntryPtr = std::shared_ptr<const FeedEntry>;

/// Woken when the live feed has grown. Called on the tailer's thread; returns quickly.
class LiveFeedListener {
 public:
  virtual void feed_grew() = 0;

 protected:
  ~LiveFeedListener() = default;
};

struct LiveFeedOptions {
  std::uint64_t ring_bytes = 16U << 20U;  ///< events kept, by their size
  /// Events of one read. More than a few groups: of two lanes that were written at once a shorter
  /// page would leave rows behind that the database has to give again. Not many more: what comes
  /// may be larger than what came.
  std::uint32_t page = 2'000;
  /// How often to look for commits of other hosts; also the cure for a lost `poke`.
  std::chrono::milliseconds poll{250};
};

class LiveFeed {
 public:
  LiveFeed(LiveFeedOptions options, Reader& reader, HostServices& services);
  ~LiveFeed();
  LiveFeed(const LiveFeed&) = delete;
  LiveFeed& operator=(const LiveFeed&) = delete;

  /// Begins at the end of the feed. Errors: unavailable. [startup]
  Status start();
  void stop();

  /// Something was committed by this host: look now.
  void poke();

  struct Position {
    Cursor cursor;
    std::uint64_t index = 0;  ///< of the first ring entry behind the cursor
  };
  [[nodiscard]] Position position() const;

  /// Entries from `index` on, at most `max`; empty when there are none yet; nothing when the ring
  /// has moved past `index`.
  [[nodiscard]] std::optional<std::vector<FeedEntryPtr>> entries(std::uint64_t index,
                                                                 std::size_t max) const;

  /// At most one `feed_grew` is under way for a listener. `remove` returns when none is. While
  /// there is no listener nothing is read; `add` waits until the end of the feed was found again
  /// (or could not be read: it is then tried again in the background), so that `position` is the
  /// end.
  void add(LiveFeedListener& listener);
  void remove(LiveFeedListener& listener);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace vouch::read
