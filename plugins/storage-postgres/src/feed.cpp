// The feed of PostgresReader: the lane log. Within a lane the order of places is the order of
// commits, so nothing appears behind a reader; one statement, one snapshot, reads on in all lanes,
// and their rows are merged by ledger number. A stream's later events have the higher number, and a
// snapshot that shows them shows the earlier ones as well.
#include <algorithm>
#include <deque>
#include <limits>

#include "event_rows.h"
#include "reader.h"

namespace vouch::postgres {
namespace {

/// Rows that a call with a filter looks at in one lane, at most.
constexpr std::uint32_t kLookedAt = 20'000;
constexpr std::uint32_t kLeastOfLane = 64;
/// Rows of a lane that the first statement of a call asks for, at most: events may have become
/// larger since the last call.
constexpr std::uint32_t kMostAtFirst = 1'000;

// $1, $2: lanes and places of the cursor. $3, $4: of the end, if $5. $6: rows of a lane. The rows
// of a lane come together and in order, since a loop over the lanes asks for them; LaneRows checks
// it.
#define VOUCH_OF_EACH_LANE                                         \
  " FROM lanes l "                                                 \
  "LEFT JOIN unnest($1, $2) AS c(lane, place) ON c.lane = l.lane " \
  "LEFT JOIN unnest($3, $4) AS u(lane, place) ON u.lane = l.lane "
#define VOUCH_BEHIND_THE_CURSOR                                   \
  "WHERE e.lane = l.lane AND e.place > coalesce(c.place, 0) AND " \
  "($5 = 0 OR e.place <= coalesce(u.place, 0)) ORDER BY e.place LIMIT $6) AS e"

constexpr Sql kFeed{"feed",
                    "SELECT l.lane, e.place, e.delivery, 1, " VOUCH_EVENT_COLUMNS VOUCH_OF_EACH_LANE
                    "CROSS JOIN LATERAL (SELECT * FROM events e " VOUCH_BEHIND_THE_CURSOR};

// $7 to $10: type, stream, category and the end of its names; empty ones match all. A row that does
// not match comes without its content.
constexpr Sql kFilteredFeed{
    "filtered_feed",
    "SELECT l.lane, e.place, e.delivery, e.matches, e.id, e.stream, e.version, e.type, e.time, "
    "e.content_type, CASE WHEN e.matches = 1 THEN e.data END, "
    "CASE WHEN e.matches = 1 THEN e.metadata END" VOUCH_OF_EACH_LANE
    "CROSS JOIN LATERAL (SELECT e.*, (($7 = '' OR e.type = $7) AND ($8 = '' OR e.stream = $8) AND "
    "($9 = '' OR (e.stream >= $9 AND e.stream < $10)))::integer AS matches "
    "FROM events e " VOUCH_BEHIND_THE_CURSOR};

constexpr Sql kEnd{"feed_end",
                   "SELECT l.lane, coalesce((SELECT e.place FROM events e WHERE e.lane = l.lane "
                   "ORDER BY e.place DESC LIMIT 1), 0) FROM lanes l"};

Parameters& add_place(Parameters& parameters, const FeedPlace& place) {
  Array lanes(ArrayType::int4);
  Array places(ArrayType::int8);
  for (const auto& [lane, at] : place.lanes) {
    lanes.add4(static_cast<std::int32_t>(lane));
    places.add(at);
  }
  return parameters.array(std::move(lanes)).array(std::move(places));
}

/// The rows of one statement, of each lane apart.
class LaneRows {
 public:
  /// Throws StatusError (internal) when the rows of a lane are not in order.
  LaneRows(const Rows& rows, std::uint32_t limit) : rows_(rows) {
    int begin = 0;
    for (int row = 1; row <= rows.size(); ++row) {
      if (row < rows.size() && rows.integer(row, 0) == rows.integer(begin, 0)) {
        if (rows.integer(row, 1) > rows.integer(row - 1, 1)) continue;
        throw StatusError({StatusCode::internal, "the feed's rows came out of order"});
      }
      const std::int64_t lane = rows.integer(begin, 0);
      for (const Lane& known : lanes_) {
        if (rows.integer(known.at, 0) != lane) continue;
        throw StatusError({StatusCode::internal, "the feed's lanes came out of order"});
      }
      lanes_.push_back({begin, row, static_cast<std::uint32_t>(row - begin) >= limit});
      begin = row;
    }
  }

  /// Lanes with anything to read.
  [[nodiscard]] std::uint32_t lanes() const { return static_cast<std::uint32_t>(lanes_.size()); }

  /// The row with the lowest ledger number, while it is certain that none lower is left unread in a
  /// lane that has more than it gave.
  int next() {
    Lane* lowest = nullptr;
    for (Lane& lane : lanes_) {
      if (lane.at == lane.end) {
        if (lane.more) return -1;
        continue;
      }
      if (lowest == nullptr || rows_.integer(lane.at, 2) < rows_.integer(lowest->at, 2)) {
        lowest = &lane;
      }
    }
    return lowest == nullptr ? -1 : lowest->at++;
  }

  /// Whether everything was given and no lane had more.
  [[nodiscard]] bool finished() const {
    return std::ranges::all_of(lanes_,
                               [](const Lane& lane) { return lane.at == lane.end && !lane.more; });
  }

 private:
  struct Lane {
    int at;
    int end;
    bool more;
  };
  const Rows& rows_;
  std::vector<Lane> lanes_;
};

Status bad_cursor() {
  return {StatusCode::invalid_argument, "the cursor is not one of this store"};
}

}  // namespace

Result<FeedPage> PostgresReader::feed(const FeedQuery& query, FeedSink& sink) {
  std::optional<FeedPlace> place = FeedPlace::parse(query.after.bytes);
  std::optional<FeedPlace> until;
  if (query.until) until = FeedPlace::parse(query.until->bytes);
  if (!place || (query.until && !until)) return bad_cursor();
  const bool filtered =
      !query.filter.type.empty() || !query.filter.stream.empty() || !query.filter.category.empty();
  return backend_.run("reading the feed", [&]() -> Result<FeedPage> {
    check_given_out(*place);
    PageSize page(filtered ? PageSize().rows() : feed_rows_.load());
    const auto ended = [&](bool at_end) {
      remember(*place);
      if (!filtered) feed_rows_ = std::min(page.rows(), kMostAtFirst);
      return FeedPage{{place->bytes()}, at_end};
    };
    std::uint32_t given = 0;
    std::uint32_t looked_at = 0;
    std::uint32_t lanes_with_rows = 1;
    for (;;) {
      const std::uint32_t left = query.limit - given;
      if (left == 0) return ended(false);
      // Every lane is asked for its share, since what the page has no room for is read again.
      std::uint32_t rows_of_lane = page.rows();
      if (!filtered) rows_of_lane = std::min(rows_of_lane, left);
      rows_of_lane = std::max(rows_of_lane / lanes_with_rows, std::min(left, kLeastOfLane));
      Parameters parameters;
      add_place(parameters, *place);
      add_place(parameters, until.value_or(FeedPlace()));
      parameters.number4(until ? 1 : 0).number8(rows_of_lane);
      if (filtered) {
        const std::string& category = query.filter.category;
        parameters.text(query.filter.type).text(query.filter.stream).text(category);
        parameters.text(category.empty() ? category : category + '.');
      }
      const Rows rows = backend_.sessions.read([&](Session& session) {
        return session.run(filtered ? kFilteredFeed : kFeed, parameters);
      });
      LaneRows lanes(rows, rows_of_lane);
      lanes_with_rows = std::max(lanes.lanes(), 1U);
      const std::uint32_t before = looked_at;
      std::uint64_t bytes = 0;
      bool stopped = false;
      for (int row = 0; !stopped && (row = lanes.next()) >= 0;) {
        place->lanes[rows.number32(row, 0)] = rows.integer(row, 1);
        ++looked_at;
        if (rows.integer(row, 3) == 0) continue;
        const EventView event = event_view(rows, row, 4);
        bytes += bytes_of(event);
        ++given;
        stopped = !sink.event(event, place->bytes()) || given == query.limit;
      }
      const std::uint64_t looked_at_here = looked_at - before;
      page.saw(looked_at_here, bytes + looked_at_here * 64);
      if (stopped || lanes.finished()) return ended(lanes.finished());
      if (filtered && looked_at >= kLookedAt) return ended(false);
    }
  });
}

/// A place that no event of this store has was never given out. What was seen once is remembered,
/// so that following costs no second statement.
void PostgresReader::check_given_out(const FeedPlace& place) {
  const auto behind = [&](const FeedPlace& end) {
    return std::ranges::any_of(
        place.lanes, [&](const auto& entry) { return entry.second > end.of(entry.first); });
  };
  {
    const std::lock_guard lock(mutex_);
    if (!behind(seen_)) return;
  }
  if (behind(read_end())) throw StatusError(bad_cursor());
}

FeedPlace PostgresReader::read_end() {
  const Rows rows = backend_.sessions.read([&](Session& session) { return session.run(kEnd); });
  FeedPlace end;
  for (int row = 0; row < rows.size(); ++row) {
    if (rows.integer(row, 1) > 0) end.lanes[rows.number32(row, 0)] = rows.integer(row, 1);
  }
  remember(end);
  return end;
}

/// Places of events that are committed.
void PostgresReader::remember(const FeedPlace& place) {
  const std::lock_guard lock(mutex_);
  for (const auto& [lane, at] : place.lanes) {
    std::int64_t& seen = seen_.lanes[lane];
    seen = std::max(seen, at);
  }
}

Result<bool> PostgresReader::reached(const Cursor& cursor, const Cursor& target) {
  const auto place = FeedPlace::parse(cursor.bytes);
  const auto wanted = FeedPlace::parse(target.bytes);
  if (!place || !wanted) return bad_cursor();
  return std::ranges::all_of(
      wanted->lanes, [&](const auto& entry) { return place->of(entry.first) >= entry.second; });
}

Result<Cursor> PostgresReader::feed_end() {
  return backend_.run("reading the end of the feed",
                      [&]() -> Result<Cursor> { return Cursor{read_end().bytes()}; });
}

}  // namespace vouch::postgres
