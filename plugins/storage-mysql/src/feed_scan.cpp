#include "feed_scan.h"

#include <algorithm>

#include "event_rows.h"

namespace vouch::mysql {

namespace {

constexpr std::uint32_t kFirstRows = 64;
constexpr std::uint32_t kMostRows = 1'024;
/// Rows that a call with a filter looks at, at most; some 50 ms.
constexpr std::uint64_t kScanBudget = 20'000;

/// What a row must fulfil; an empty parameter matches everything.
constexpr const char* kMatches =
    "((? = '' OR type = ?) AND (? = '' OR stream = ?) AND (? = '' OR "
    "(stream >= ? AND stream < ?)))";
constexpr const char* kRange =
    " FROM vouch_events FORCE INDEX (lane_log) WHERE lane = ? AND place > ? AND place <= ? "
    "ORDER BY place LIMIT ?";

std::string all_text() {
  return std::string("SELECT place, number, 1, ") + kEventColumns + kRange;
}

/// The bytes of rows that do not match stay where they are.
std::string filtered_text() {
  const std::string matches = kMatches;
  return "SELECT place, number, " + matches +
         ", id, stream, version, type, time, content_type, IF(" + matches + ", data, x''), IF(" +
         matches + ", metadata, x'')" + kRange;
}

/// The row's event; its columns stand behind place, number and match.
EventView view_of(const Rows& rows) {
  const auto id = EventId::from_bytes(rows.bytes(3));
  if (!id) throw StatusError({StatusCode::corrupt, "a stored event has an id of another length"});
  EventView view;
  view.id = *id;
  view.stream = rows.bytes(4);
  view.version = {rows.number(5)};
  view.type = rows.bytes(6);
  view.time = {rows.integer(7)};
  view.content_type = rows.bytes(8);
  view.data = rows.bytes(9);
  view.metadata = rows.bytes(10);
  return view;
}

}  // namespace

FeedScan::FeedScan(Session& session, const FeedFilter& filter, FeedCursor from,
                   const FeedCursor& to)
    : session_(session),
      filter_(filter),
      filtered_(!filter.category.empty() || !filter.type.empty() || !filter.stream.empty()),
      category_end_(filter.category + '.'),
      reached_(std::move(from)) {
  const PageSize page(filtered_ ? kMostRows : kFirstRows, kMostRows);
  for (const auto& [lane, end] : to.places) {
    const std::uint64_t place = reached_.place(lane);
    if (place < end) runs_.push_back({lane, place, end, page, {}});
  }
}

FeedCursor FeedScan::run(std::uint32_t limit, FeedSink& sink) {
  std::uint64_t looked_at = 0;
  for (std::uint32_t left = limit; left > 0 && (!filtered_ || looked_at < kScanBudget);) {
    LaneRun* const run = lowest(left);
    if (run == nullptr) break;
    const Row row = std::move(run->rows.front());
    run->rows.pop_front();
    ++looked_at;
    reached_.places[run->lane] = row.place;
    if (!row.matches) continue;
    --left;
    const Cursor after = reached_.encode();
    if (!sink.event(row.event.view(), after.bytes)) return std::move(reached_);
  }
  return std::move(reached_);
}

/// The lane whose next row has the lowest number.
FeedScan::LaneRun* FeedScan::lowest(std::uint32_t most_rows) {
  LaneRun* found = nullptr;
  for (LaneRun& run : runs_) {
    if (run.rows.empty() && run.read_to < run.end) refill(run, most_rows);
    if (run.rows.empty()) continue;
    if (found == nullptr || run.rows.front().number < found->rows.front().number) found = &run;
  }
  return found;
}

void FeedScan::refill(LaneRun& run, std::uint32_t most_rows) {
  // Every lane is asked for its share, since what the page has no room for is read again.
  const auto lanes = static_cast<std::uint32_t>(runs_.size());
  const std::uint32_t share = std::max(most_rows / lanes, std::min(most_rows, kFirstRows));
  const std::uint32_t wanted = filtered_ ? run.page.rows() : std::min(run.page.rows(), share);
  std::uint64_t bytes = 0;
  {
    Rows rows = fetch(run, wanted);
    while (rows.next()) {
      const EventView event = view_of(rows);
      bytes += event.data.size() + event.metadata.size();
      run.rows.push_back({rows.number(0), rows.number(1), rows.number(2) != 0, Event(event)});
    }
  }
  run.page.saw(run.rows.size(), bytes);
  run.read_to = run.rows.size() < wanted ? run.end : run.rows.back().place;
}

Rows FeedScan::fetch(const LaneRun& run, std::uint32_t rows) {
  static const std::string all = all_text();
  static const std::string some = filtered_text();
  std::vector<Param> params;
  if (filtered_) {
    const std::string_view type = filter_.type;
    const std::string_view stream = filter_.stream;
    const std::string_view category = filter_.category;
    for (int i = 0; i < 3; ++i) {
      params.insert(params.end(), {type, type, stream, stream, category, category,
                                   std::string_view(category_end_)});
    }
  }
  params.insert(params.end(), {run.lane, run.read_to, run.end, rows});
  return session_.prepared(filtered_ ? some : all).run(params);
}

}  // namespace vouch::mysql
