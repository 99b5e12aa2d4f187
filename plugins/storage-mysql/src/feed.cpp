// The feed of MysqlReader: the lane log. A lane has one open transaction at a time, so nothing ever
// appears behind a place of it that was seen.
#include <algorithm>

#include "feed_scan.h"
#include "reader.h"

namespace vouch::mysql {

namespace {

/// The last place of each lane, all of one moment. A lane lists itself before its first event.
/// (MAX(place) … GROUP BY reads the whole log when the optimiser thinks so.)
FeedCursor end_of_lanes(Session& session) {
  FeedCursor end;
  Rows rows = session
                  .prepared(
                      "SELECT l.lane, (SELECT e.place FROM vouch_events e FORCE INDEX (lane_log) "
                      "WHERE e.lane = l.lane ORDER BY e.place DESC LIMIT 1) FROM vouch_lanes l")
                  .run({});
  while (rows.next()) {
    if (!rows.null(1)) end.places.emplace(rows.number32(0), rows.number(1));
  }
  return end;
}

FeedCursor bounded(const FeedCursor& end, const FeedCursor& until) {
  FeedCursor both;
  for (const auto& [lane, place] : end.places) {
    const std::uint64_t bound = std::min(place, until.place(lane));
    if (bound > 0) both.places.emplace(lane, bound);
  }
  return both;
}

}  // namespace

Result<FeedPage> MysqlReader::feed(const FeedQuery& query, FeedSink& sink) {
  return backend_.run("reading the feed", [&]() -> Result<FeedPage> {
    Result<FeedCursor> after = FeedCursor::decode(query.after);
    if (!after.ok()) return after.status();
    Result<FeedCursor> until = FeedCursor::decode(query.until.value_or(Cursor{}));
    if (!until.ok()) return until.status();
    Pool::Lease session = backend_.work.lease();
    FeedCursor end = end_of_lanes(*session);
    if (!end.reached(*after)) {
      return Status(StatusCode::invalid_argument,
                    "the cursor lies behind this store's last event; it is of another store");
    }
    if (query.until) end = bounded(end, *until);
    if (after->reached(end)) return FeedPage{query.after, true};
    // No cursor is given out for what a crash could take back.
    backend_.settle(*session);
    FeedScan scan(*session, query.filter, *std::move(after), end);
    const FeedCursor place = scan.run(query.limit, sink);
    return FeedPage{place.encode(), place.reached(end)};
  });
}

Result<bool> MysqlReader::reached(const Cursor& cursor, const Cursor& target) {
  const Result<FeedCursor> place = FeedCursor::decode(cursor);
  if (!place.ok()) return place.status();
  const Result<FeedCursor> end = FeedCursor::decode(target);
  if (!end.ok()) return end.status();
  return place->reached(*end);
}

Result<Cursor> MysqlReader::feed_end() {
  return backend_.run("reading the end of the feed", [&]() -> Result<Cursor> {
    return backend_.work.with([&](Session& session) {
      const FeedCursor end = end_of_lanes(session);
      backend_.settle(session);
      return end.encode();
    });
  });
}

}  // namespace vouch::mysql
