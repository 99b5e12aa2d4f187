// MemoryReader: committed events by stream, by id and in commit order. [any-thread]; sinks are
// called without the database's mutex, on pages of shared records.
#include <algorithm>
#include <charconv>
#include <cstdint>

#include "memory_host.h"

namespace vouch::testkit {
namespace {

constexpr std::size_t kPageRecords = 512;
/// A feed page looks at no more events than this, matching or not.
constexpr std::uint64_t kMaxLookedAt = 4'096;

/// Binary, so that whoever carries a cursor and takes it for text is found out.
Cursor cursor_at(std::uint64_t position) {
  Cursor cursor;
  cursor.bytes.push_back('\xf7');
  for (int shift = 56; shift >= 0; shift -= 8) {
    cursor.bytes.push_back(static_cast<char>(static_cast<std::uint8_t>(position >> shift)));
  }
  return cursor;
}

/// The position that a cursor stands for; nothing for bytes that no store gives out.
std::optional<std::uint64_t> parse_cursor(const Cursor& cursor) {
  if (cursor.bytes.empty()) return 0;
  if (cursor.bytes.size() != 9 || cursor.bytes[0] != '\xf7') return std::nullopt;
  std::uint64_t position = 0;
  for (std::size_t i = 1; i < cursor.bytes.size(); ++i) {
    position = (position << 8U) | static_cast<std::uint8_t>(cursor.bytes[i]);
  }
  return position;
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

Status MemoryReader::stream(const StreamName& stream, Version from, Direction direction,
                            std::uint32_t limit, EventSink& sink) {
  if (Status status = host_->enter(Step::read); !status.ok()) return status;
  const MemoryDatabase::Impl& database = host_->database;
  const bool forward = direction == Direction::forward;
  std::uint64_t next = from.value;
  std::uint64_t left = limit;
  while (left > 0) {
    std::vector<RecordPtr> page;
    {
      const std::lock_guard lock(database.mutex);
      const std::uint64_t head = database.head(stream.str()).value;
      if (next == 0) next = forward ? 1 : head;
      if (!forward) next = std::min(next, head);
      for (; page.size() < std::min<std::uint64_t>(left, kPageRecords); forward ? ++next : --next) {
        if (next == 0 || next > head) break;
        page.push_back(database.streams.at(stream.str())[next - 1]);
      }
    }
    for (const RecordPtr& record : page) {
      if (!sink.event(record->event.view())) return {};
    }
    left -= page.size();
    if (page.size() < kPageRecords || next == 0) return {};
  }
  return {};
}

Result<std::vector<Version>> MemoryReader::heads(std::span<const StreamName> streams) {
  if (Status status = host_->enter(Step::read); !status.ok()) return status;
  const std::lock_guard lock(host_->database.mutex);
  std::vector<Version> heads;
  for (const StreamName& stream : streams) heads.push_back(host_->database.head(stream.str()));
  return heads;
}

Status MemoryReader::event(const EventId& id, EventSink& sink) {
  if (Status status = host_->enter(Step::read); !status.ok()) return status;
  RecordPtr record;
  {
    const std::lock_guard lock(host_->database.mutex);
    const auto found = host_->database.ids.find(id);
    if (found != host_->database.ids.end()) record = found->second;
  }
  if (!record) return {StatusCode::not_found, "there is no event " + id.to_string()};
  sink.event(record->event.view());
  return {};
}

Result<FeedPage> MemoryReader::feed(const FeedQuery& query, FeedSink& sink) {
  if (Status status = host_->enter(Step::read); !status.ok()) return status;
  const MemoryDatabase::Impl& database = host_->database;
  std::optional<std::uint64_t> after = parse_cursor(query.after);
  std::optional<std::uint64_t> until;
  if (query.until) until = parse_cursor(*query.until);
  if (!after || (query.until && !until)) return bad_cursor();

  std::uint64_t end = 0;
  std::uint64_t next = *after;
  std::vector<RecordPtr> page;
  {
    const std::lock_guard lock(database.mutex);
    if (*after > database.log.size() || until.value_or(0) > database.log.size()) {
      return bad_cursor();
    }
    end = until.value_or(database.log.size());
    const std::uint64_t stop = std::min(end, next + kMaxLookedAt);
    for (; next < stop && page.size() < query.limit; ++next) {
      if (matches(query.filter, database.log[next]->event)) page.push_back(database.log[next]);
    }
  }
  if (*after > end) {
    return Status(StatusCode::invalid_argument, "the feed was asked to end before it begins");
  }
  for (const RecordPtr& record : page) {
    if (sink.event(record->event.view(), cursor_at(record->position).bytes)) continue;
    next = record->position;
    break;
  }
  return FeedPage{cursor_at(next), next == end};
}

Result<bool> MemoryReader::reached(const Cursor& cursor, const Cursor& target) {
  const auto position = parse_cursor(cursor);
  const auto wanted = parse_cursor(target);
  if (!position || !wanted) return bad_cursor();
  return *position >= *wanted;
}

Result<Cursor> MemoryReader::feed_end() {
  if (Status status = host_->enter(Step::read); !status.ok()) return status;
  const std::lock_guard lock(host_->database.mutex);
  return cursor_at(host_->database.log.size());
}

Status MemoryReader::streams(std::string_view category, std::string_view after, std::uint32_t limit,
                             StreamSink& sink) {
  if (Status status = host_->enter(Step::read); !status.ok()) return status;
  std::vector<std::pair<std::string, Version>> found;
  {
    const std::lock_guard lock(host_->database.mutex);
    const auto& streams = host_->database.streams;
    for (auto stream = streams.upper_bound(std::string(after));
         stream != streams.end() && found.size() < limit; ++stream) {
      if (!category.empty() && StreamName::category_of(stream->first) != category) continue;
      found.emplace_back(stream->first, stream->second.back()->event.version);
    }
  }
  for (const auto& [name, head] : found) {
    if (!sink.stream(name, head)) break;
  }
  return {};
}

}  // namespace vouch::testkit
