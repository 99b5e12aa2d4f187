// The reader: committed events by stream, by id, and in commit order. Sinks are called without the
// lock.
#pragma once

#include <memory>

#include "core.h"
#include "vouch/reader.h"

namespace storage_journal {

class JournalReader final : public vouch::Reader {
 public:
  explicit JournalReader(std::shared_ptr<Core> core) : core_(std::move(core)) {}

  vouch::Status stream(const vouch::StreamName& stream, vouch::Version from,
                       vouch::Direction direction, std::uint32_t limit,
                       vouch::EventSink& sink) override;
  vouch::Result<std::vector<vouch::Version>> heads(
      std::span<const vouch::StreamName> streams) override;
  vouch::Status event(const vouch::EventId& id, vouch::EventSink& sink) override;
  vouch::Result<vouch::FeedPage> feed(const vouch::FeedQuery& query,
                                      vouch::FeedSink& sink) override;
  vouch::Result<bool> reached(const vouch::Cursor& cursor, const vouch::Cursor& target) override;
  vouch::Result<vouch::Cursor> feed_end() override;
  vouch::Status streams(std::string_view category, std::string_view after, std::uint32_t limit,
                        vouch::StreamSink& sink) override;

 private:
  const std::shared_ptr<Core> core_;
};

}  // namespace storage_journal
