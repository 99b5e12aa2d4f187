// The feed of SqliteReader: rows in the order of `seq`, which is commit order, since there is one
// writer; nothing ever appears behind a reader.
#include <algorithm>

#include "feed_cursor.h"
#include "reader.h"

namespace vouch::sqlite {

namespace {

constexpr std::uint32_t kPage = 5'000;
/// Rows that a call with a filter looks at, at most; some 30 ms.
constexpr std::uint64_t kScanBudget = 50'000;

std::uint64_t last_seq(ReadStatements& sql) {
  Rows rows = sql.last_seq.run();
  return rows.next() ? rows.number(0) : 0;
}

/// The bounds of a category's names: '-' sorts before every other character of a name.
struct FilterTexts {
  explicit FilterTexts(const FeedFilter& from) : filter(from), category_end(from.category + '.') {}
  const FeedFilter& filter;
  const std::string category_end;
  [[nodiscard]] bool empty() const {
    return filter.category.empty() && filter.type.empty() && filter.stream.empty();
  }
};

class FeedScan {
 public:
  FeedScan(ReadStatements& sql, const FilterTexts& filter, FeedSink& sink)
      : sql_(sql), filter_(filter), sink_(sink) {}

  /// Gives matching events of (from, to], at most `limit`. Returns the place that was reached.
  std::uint64_t run(std::uint64_t from, std::uint64_t to, std::uint32_t limit) {
    std::uint64_t place = from;
    for (std::uint32_t left = limit; left > 0 && place < to;) {
      const std::uint32_t wanted = std::min(left, kPage);
      std::uint32_t seen = 0;
      Rows rows = statement(place, to, wanted);
      while (rows.next()) {
        ++seen;
        place = rows.number(0);
        const Cursor after = cursor_at(place);
        if (!sink_.event(event_view(rows), after.bytes)) return place;
      }
      if (seen < wanted) return to;
      left -= seen;
    }
    return place;
  }

 private:
  Rows statement(std::uint64_t from, std::uint64_t to, std::uint32_t limit) {
    if (filter_.empty()) return sql_.feed.run(from, to, limit);
    const FeedFilter& filter = filter_.filter;
    // Views on both sides: a conditional of a literal and a string would be a temporary string.
    const std::string_view end =
        filter.category.empty() ? std::string_view() : std::string_view(filter_.category_end);
    return sql_.feed_filtered.run(from, to, limit, Maybe{filter.type}, Maybe{filter.stream},
                                  Maybe{filter.category}, Maybe{end});
  }

  ReadStatements& sql_;
  const FilterTexts& filter_;
  FeedSink& sink_;
};

}  // namespace

Result<FeedPage> SqliteReader::feed(const FeedQuery& query, FeedSink& sink) {
  return backend_.run("reading the feed", [&]() -> Result<FeedPage> {
    const Result<std::uint64_t> after = seq_of(query.after);
    if (!after.ok()) return after.status();
    ReaderPool::Lease session = backend_.readers.lease();
    std::uint64_t end = last_seq(session.sql());
    if (*after > end) {
      return Status(StatusCode::invalid_argument,
                    "the cursor lies behind this store's last event; it is of another store");
    }
    if (query.until) {
      const Result<std::uint64_t> until = seq_of(*query.until);
      if (!until.ok()) return until.status();
      end = std::min(end, *until);
    }
    const FilterTexts filter(query.filter);
    const std::uint64_t to = filter.empty() ? end : std::min(end, *after + kScanBudget);
    FeedScan scan(session.sql(), filter, sink);
    const std::uint64_t place = scan.run(*after, to, query.limit);
    return FeedPage{cursor_at(place), place >= end};
  });
}

Result<bool> SqliteReader::reached(const Cursor& cursor, const Cursor& target) {
  const Result<std::uint64_t> place = seq_of(cursor);
  if (!place.ok()) return place.status();
  const Result<std::uint64_t> end = seq_of(target);
  if (!end.ok()) return end.status();
  return *place >= *end;
}

Result<Cursor> SqliteReader::feed_end() {
  return backend_.run("reading the end of the feed", [&]() -> Result<Cursor> {
    ReaderPool::Lease session = backend_.readers.lease();
    return cursor_at(last_seq(session.sql()));
  });
}

}  // namespace vouch::sqlite
