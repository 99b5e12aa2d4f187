// PostgresReader: committed events by stream, by id, and as the feed. Pages by key, so that no
// snapshot is held between statements and memory does not grow with a stream. [any-thread]
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>

#include "backend.h"
#include "feed_cursor.h"
#include "vouch/reader.h"

namespace vouch::postgres {

class PostgresReader final : public Reader {
 public:
  explicit PostgresReader(Backend& backend) : backend_(backend) {}

  Status stream(const StreamName& stream, Version from, Direction direction, std::uint32_t limit,
                EventSink& sink) override;
  Result<std::vector<Version>> heads(std::span<const StreamName> streams) override;
  Status event(const EventId& id, EventSink& sink) override;
  Result<FeedPage> feed(const FeedQuery& query, FeedSink& sink) override;
  Result<bool> reached(const Cursor& cursor, const Cursor& target) override;
  Result<Cursor> feed_end() override;
  Status streams(std::string_view category, std::string_view after, std::uint32_t limit,
                 StreamSink& sink) override;

 private:
  FeedPlace read_end();
  void check_given_out(const FeedPlace& place);
  void remember(const FeedPlace& place);

  Backend& backend_;
  std::mutex mutex_;
  FeedPlace seen_;  ///< places that were committed when somebody looked
  /// Rows of a lane that a statement for the feed would ask for, by the size of the last events.
  std::atomic<std::uint32_t> feed_rows_{256};
};

}  // namespace vouch::postgres
