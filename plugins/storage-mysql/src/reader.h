// MysqlReader: streams, heads and the feed. Pages are read by key, so that no session is held
// between calls and no snapshot is long. Any thread.
#pragma once

#include "backend.h"
#include "vouch/storage.h"

namespace vouch::mysql {

class MysqlReader final : public Reader {
 public:
  explicit MysqlReader(Backend& backend) : backend_(backend) {}
  MysqlReader(const MysqlReader&) = delete;
  MysqlReader& operator=(const MysqlReader&) = delete;
  ~MysqlReader() = default;

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
  Backend& backend_;
};

}  // namespace vouch::mysql
