#include "live_batch.h"

#include "follow_format.h"

namespace vouch::http {
namespace {

constexpr std::size_t kBatchEntries = 256;

}  // namespace

LiveBatch::Found LiveBatch::seek(std::uint64_t index) {
  if (end_ == index) return Found::nothing_yet;
  if (index < first_ || index - first_ >= entries_.size()) {
    auto fetched = live_feed_.entries(index, kBatchEntries);
    if (!fetched) return Found::passed;
    if (fetched->empty()) {
      end_ = index;
      return Found::nothing_yet;
    }
    first_ = index;
    entries_.clear();
    for (read::FeedEntryPtr& entry : *fetched) entries_.push_back({std::move(entry), {}});
  }
  current_ = static_cast<std::size_t>(index - first_);
  return Found::entry;
}

const std::string& LiveBatch::text(FollowFormat format) {
  Slot& slot = entries_[current_];
  std::string& text = slot.text[static_cast<std::size_t>(format)];
  if (text.empty()) append_follow_event(text, format, slot.entry->event(), slot.entry->after());
  return text;
}

}  // namespace vouch::http
