#include "catch_up.h"

#include "follow_format.h"
#include "vouch/thread_name.h"

namespace vouch::http {
namespace {

constexpr std::uint32_t kCatchUpEvents = 500;

class PageText final : public FeedSink {
 public:
  PageText(std::string& out, FollowFormat format) : out_(out), format_(format) {}

  bool event(const EventView& event, std::string_view after) override {
    append_follow_event(out_, format_, event, after);
    return out_.size() < kCatchUpBytes;
  }

 private:
  std::string& out_;
  FollowFormat format_;
};

void fail(CatchUpResult& result, const Status& failure) {
  result.failure = failure;
  result.next = failure.code() == StatusCode::invalid_argument ? CatchUpResult::Next::give_up
                                                               : CatchUpResult::Next::retry;
}

/// Everything up to the live feed's position was read. A follower with a fresher cursor waits until
/// the live feed has come as far; joined now, it would see what lies between a second time, or,
/// with a cursor that the store has lost, skip what comes until then.
void join_live(CatchUpResult& result, const read::LiveFeed::Position& target, Reader& reader) {
  const auto level = reader.reached(target.cursor, result.after);
  if (!level.ok()) return fail(result, level.status());
  if (!*level) {
    result.next = CatchUpResult::Next::wait;
    return;
  }
  result.next = CatchUpResult::Next::join;
  result.live_index = target.index;
}

}  // namespace

CatchUpResult run_catch_up(const CatchUpJob& job, Reader& reader, const read::LiveFeed& live_feed) {
  CatchUpResult result;
  result.follower = job.follower;
  result.after = job.after;
  const read::LiveFeed::Position target = live_feed.position();
  const auto reached = reader.reached(job.after, target.cursor);
  if (!reached.ok()) {
    fail(result, reached.status());
    return result;
  }
  if (*reached) {
    join_live(result, target, reader);
    return result;
  }
  PageText sink(result.text, job.format);
  FeedQuery query;
  query.after = job.after;
  query.until = target.cursor;
  query.filter = job.filter;
  query.limit = kCatchUpEvents;
  auto page = reader.feed(query, sink);
  if (!page.ok()) {
    // The page is read again from where it began: what it gave is dropped.
    result.text.clear();
    fail(result, page.status());
    return result;
  }
  result.after = std::move(page->next);
  result.next = CatchUpResult::Next::read_on;
  if (page->at_end) join_live(result, target, reader);
  return result;
}

CatchUpReaders::CatchUpReaders(Reader& reader, const read::LiveFeed& live_feed, Done done)
    : reader_(reader), live_feed_(live_feed), done_(std::move(done)) {}

CatchUpReaders::~CatchUpReaders() {
  stop();
}

void CatchUpReaders::start(std::size_t threads) {
  for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { run(); });
}

void CatchUpReaders::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    jobs_.clear();
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

void CatchUpReaders::submit(CatchUpJob job) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
    jobs_.push_back(std::move(job));
  }
  changed_.notify_one();
}

void CatchUpReaders::run() {
  name_this_thread("catch-up");
  for (;;) {
    CatchUpJob job;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
      if (stopping_) return;
      job = std::move(jobs_.front());
      jobs_.pop_front();
    }
    done_(run_catch_up(job, reader_, live_feed_));
  }
}

}  // namespace vouch::http
