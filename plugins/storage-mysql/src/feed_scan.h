// FeedScan: reads the lanes from one place to another and merges them by ledger number. Within a
// lane, places and numbers rise together, and a stream's next version has a higher number than the
// one before; so what is merged of one moment has every stream's versions rising. Lives for one
// page; one thread.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "feed_cursor.h"
#include "page_size.h"
#include "session.h"
#include "vouch/reader.h"

namespace vouch::mysql {

class FeedScan {
 public:
  /// `to` must be a moment of the store: all that was committed then, or a page's cursor.
  FeedScan(Session& session, const FeedFilter& filter, FeedCursor from, const FeedCursor& to);

  /// Gives matching events, at most `limit`, until the sink has enough or as many rows were looked
  /// at as a call may. Returns the place that was reached. Throws SqlError, StatusError.
  FeedCursor run(std::uint32_t limit, FeedSink& sink);

 private:
  struct Row {
    std::uint64_t place;
    std::uint64_t number;
    bool matches;
    Event event;
  };
  struct LaneRun {
    std::uint32_t lane;
    std::uint64_t read_to;  ///< rows up to here were fetched
    std::uint64_t end;
    PageSize page;
    std::deque<Row> rows;
  };

  LaneRun* lowest(std::uint32_t most_rows);
  void refill(LaneRun& run, std::uint32_t most_rows);
  Rows fetch(const LaneRun& run, std::uint32_t rows);

  Session& session_;
  const FeedFilter& filter_;
  const bool filtered_;
  const std::string category_end_;
  FeedCursor reached_;
  std::vector<LaneRun> runs_;
};

}  // namespace vouch::mysql
