#include "journal_reader.h"

#include <algorithm>

#include "bytes.h"

namespace storage_journal {

using namespace vouch;

namespace {

/// A feed page looks at no more events than this, matching or not.
constexpr std::uint64_t kMostLookedAt = 4'096;
constexpr char kCursorMark = 'j';

Cursor cursor_at(std::uint64_t position) {
  Cursor cursor{std::string(1, kCursorMark)};
  put_number(cursor.bytes, position);
  return cursor;
}

/// Nothing for bytes that no store of this kind gives out.
std::optional<std::uint64_t> position_of(const Cursor& cursor) {
  if (cursor.bytes.empty()) return 0;
  if (cursor.bytes.size() != 9 || cursor.bytes.front() != kCursorMark) return std::nullopt;
  return number_at<std::uint64_t>(cursor.bytes, 1);
}

Status bad_cursor() {
  return {StatusCode::invalid_argument, "this store never gave that cursor"};
}

bool matches(const FeedFilter& filter, const Event& event) {
  return (filter.category.empty() || event.stream.category() == filter.category) &&
         (filter.type.empty() || event.type == filter.type) &&
         (filter.stream.empty() || event.stream.view() == filter.stream);
}

}  // namespace

Status JournalReader::stream(const StreamName& stream, Version from, Direction direction,
                             std::uint32_t limit, EventSink& sink) {
  std::vector<StoredPtr> found;
  {
    const std::lock_guard lock(core_->mutex);
    if (Status status = core_->migrated(); !status.ok()) return status;
    const auto events = core_->state.streams.find(stream.view());
    if (events == core_->state.streams.end()) return {};
    const std::uint64_t head = events->second.size();
    if (direction == Direction::forward) {
      for (std::uint64_t v = std::max<std::uint64_t>(from.value, 1);
           v <= head && found.size() < limit; ++v) {
        found.push_back(events->second[v - 1]);
      }
    } else {
      for (std::uint64_t v = from.value == 0 ? head : std::min(from.value, head);
           v >= 1 && found.size() < limit; --v) {
        found.push_back(events->second[v - 1]);
      }
    }
  }
  for (const StoredPtr& stored : found) {
    if (!sink.event(stored->event.view())) break;
  }
  return {};
}

Result<std::vector<Version>> JournalReader::heads(std::span<const StreamName> streams) {
  const std::lock_guard lock(core_->mutex);
  if (Status status = core_->migrated(); !status.ok()) return status;
  std::vector<Version> heads;
  for (const StreamName& stream : streams) heads.push_back(core_->state.head(stream.view()));
  return heads;
}

Status JournalReader::event(const EventId& id, EventSink& sink) {
  StoredPtr found;
  {
    const std::lock_guard lock(core_->mutex);
    if (Status status = core_->migrated(); !status.ok()) return status;
    const auto stored = core_->state.ids.find(id);
    if (stored != core_->state.ids.end()) found = stored->second;
  }
  if (found == nullptr) return {StatusCode::not_found, "there is no event " + id.to_string()};
  sink.event(found->event.view());
  return {};
}

// [feed]
Result<FeedPage> JournalReader::feed(const FeedQuery& query, FeedSink& sink) {
  const auto after = position_of(query.after);
  const auto until = position_of(query.until.value_or(Cursor{}));
  if (!after || !until) return bad_cursor();
  std::vector<StoredPtr> found;
  std::uint64_t next = *after;
  std::uint64_t end = 0;
  {
    const std::lock_guard lock(core_->mutex);
    if (Status status = core_->migrated(); !status.ok()) return status;
    // One lane at a time: the order of the log is the order of the commits, and nothing can come
    // between two events that are in it.
    const auto& log = core_->state.log;
    if (*after > log.size() || *until > log.size()) return bad_cursor();
    end = query.until ? *until : log.size();
    const std::uint64_t stop = std::min(end, next + kMostLookedAt);
    for (; next < stop && found.size() < query.limit; ++next) {
      if (matches(query.filter, log[next]->event)) found.push_back(log[next]);
    }
  }
  for (const StoredPtr& stored : found) {
    if (sink.event(stored->event.view(), cursor_at(stored->position).bytes)) continue;
    next = stored->position;
    break;
  }
  return FeedPage{cursor_at(next), next >= end};
}
// [feed]

Result<bool> JournalReader::reached(const Cursor& cursor, const Cursor& target) {
  const auto position = position_of(cursor);
  const auto wanted = position_of(target);
  if (!position || !wanted) return bad_cursor();
  return *position >= *wanted;
}

Result<Cursor> JournalReader::feed_end() {
  const std::lock_guard lock(core_->mutex);
  if (Status status = core_->migrated(); !status.ok()) return status;
  return cursor_at(core_->state.log.size());
}

Status JournalReader::streams(std::string_view category, std::string_view after,
                              std::uint32_t limit, StreamSink& sink) {
  std::vector<std::pair<std::string, Version>> found;
  {
    const std::lock_guard lock(core_->mutex);
    if (Status status = core_->migrated(); !status.ok()) return status;
    const auto& all = core_->state.streams;
    for (auto stream = all.upper_bound(after); stream != all.end() && found.size() < limit;
         ++stream) {
      if (!category.empty() && StreamName::category_of(stream->first) != category) continue;
      found.emplace_back(stream->first, stream->second.back()->event.version);
    }
  }
  for (const auto& [name, head] : found) {
    if (!sink.stream(name, head)) break;
  }
  return {};
}

}  // namespace storage_journal
