// CatchUpReaders: a few threads that read the database for followers which are not at the live end,
// a page at a time, first come first served. They share nothing with the followers: a job says all
// that is needed, its result is handed over.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "message.h"
#include "read/live_feed.h"
#include "vouch/storage.h"

namespace vouch::http {

/// Text that one page gives at most, not counting the event that reaches it.
inline constexpr std::size_t kCatchUpBytes = 128U << 10U;

struct CatchUpJob {
  std::uint64_t follower = 0;
  FollowFormat format = FollowFormat::sse;
  FeedFilter filter;
  Cursor after;
};

struct CatchUpResult {
  enum class Next : std::uint8_t {
    read_on,  ///< there is more in the database
    wait,     ///< the follower is ahead of the live feed: ask again in a moment
    join,     ///< go on with the live feed at `live_index`
    retry,    ///< the database failed: ask again later
    give_up,  ///< the cursor is not of this store
  };
  std::uint64_t follower = 0;
  Next next = Next::retry;
  std::string text;  ///< events in the follower's format
  Cursor after;      ///< behind them
  std::uint64_t live_index = 0;
  Status failure;  ///< retry, give_up
};

/// One job, in the caller's thread. Blocks for a page of the database.
CatchUpResult run_catch_up(const CatchUpJob& job, Reader& reader, const read::LiveFeed& live_feed);

class CatchUpReaders {
 public:
  using Done = std::function<void(CatchUpResult)>;

  /// References must outlive it. `done` is called on the readers' threads.
  CatchUpReaders(Reader& reader, const read::LiveFeed& live_feed, Done done);
  ~CatchUpReaders();
  CatchUpReaders(const CatchUpReaders&) = delete;
  CatchUpReaders& operator=(const CatchUpReaders&) = delete;

  void start(std::size_t threads);
  /// Drops what waits, lets what runs finish, joins. Idempotent.
  void stop();

  /// [any-thread]
  void submit(CatchUpJob job);

 private:
  void run();

  Reader& reader_;
  const read::LiveFeed& live_feed_;
  const Done done_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<CatchUpJob> jobs_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace vouch::http
