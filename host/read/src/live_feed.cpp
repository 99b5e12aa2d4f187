#include "read/live_feed.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <set>
#include <thread>
#include <utility>

#include "vouch/thread_name.h"

namespace vouch::read {
namespace {

/// Copies a page of the feed.
class Page final : public FeedSink {
 public:
  bool event(const EventView& event, std::string_view after) override {
    entries.push_back(std::make_shared<const FeedEntry>(event, after));
    return true;
  }
  std::vector<FeedEntryPtr> entries;
};

}  // namespace

FeedEntry::FeedEntry(const EventView& event, std::string_view after) : event_(event) {
  std::string_view* const lent[] = {&event_.stream, &event_.type,     &event_.content_type,
                                    &event_.data,   &event_.metadata, &after_};
  after_ = after;
  std::size_t size = 0;
  for (const std::string_view* text : lent) size += text->size();
  text_.reserve(size);
  for (std::string_view* text : lent) {
    const std::size_t at = text_.size();
    const std::size_t length = text->size();
    text_.append(*text);
    *text = {text_.data() + at, length};
  }
}

class LiveFeed::Impl {
 public:
  Impl(LiveFeedOptions options, Reader& reader, HostServices& services)
      : options_(options), reader_(reader), services_(services) {}

  ~Impl() { stop(); }

  Status start() {
    Result<Cursor> end = reader_.feed_end();
    if (!end.ok()) return end.status();
    cursor_ = std::move(*end);
    running_ = true;
    thread_ = std::thread([this] {
      name_this_thread("live-feed");
      run();
    });
    return {};
  }

  void stop() {
    {
      const std::lock_guard lock(mutex_);
      if (!running_) return;
      running_ = false;
    }
    wake_.notify_all();
    told_.notify_all();
    thread_.join();
  }

  void poke() {
    {
      const std::lock_guard lock(mutex_);
      if (poked_ || listeners_.empty()) return;
      poked_ = true;
    }
    wake_.notify_all();
  }

  Position position() const {
    const std::lock_guard lock(mutex_);
    return {cursor_, first_ + ring_.size()};
  }

  std::optional<std::vector<FeedEntryPtr>> entries(std::uint64_t index, std::size_t max) const {
    const std::lock_guard lock(mutex_);
    if (index < first_) return std::nullopt;
    const std::uint64_t end = first_ + ring_.size();
    std::vector<FeedEntryPtr> found;
    for (; index < end && found.size() < max; ++index) found.push_back(ring_[index - first_]);
    return found;
  }

  void add(LiveFeedListener& listener) {
    std::unique_lock lock(mutex_);
    if (listeners_.empty()) asleep_ = true;
    listeners_.insert(&listener);
    wake_.notify_all();
    const std::uint64_t before = wake_ups_;
    told_.wait(lock, [&] { return !running_ || !asleep_ || wake_ups_ != before; });
  }

  void remove(LiveFeedListener& listener) {
    std::unique_lock lock(mutex_);
    listeners_.erase(&listener);
    told_.wait(lock, [&] { return telling_ != &listener; });
  }

 private:
  void run() {
    std::unique_lock lock(mutex_);
    while (running_) {
      if (listeners_.empty()) {
        wake_.wait(lock);  // nobody follows: nothing is read
        continue;
      }
      poked_ = false;
      const bool grew = asleep_ ? jump_to_end(lock) : read_on(lock);
      if (grew) tell(lock);
      if (poked_ || asleep_ || !running_) continue;
      wake_.wait_for(lock, options_.poll, [&] { return poked_ || asleep_ || !running_; });
    }
  }

  /// While nobody followed nothing was read. Whoever holds an index of before finds that the ring
  /// has moved on, and reads the database.
  bool jump_to_end(std::unique_lock<std::mutex>& lock) {
    lock.unlock();
    Result<Cursor> end = reader_.feed_end();
    lock.lock();
    ++wake_ups_;
    told_.notify_all();
    if (!end.ok()) {
      pause_after_error(lock, end.status());
      return false;
    }
    asleep_ = false;
    first_ += ring_.size() + 1;
    ring_.clear();
    ring_bytes_ = 0;
    cursor_ = std::move(*end);
    problem_.clear();
    return true;
  }

  bool read_on(std::unique_lock<std::mutex>& lock) {
    FeedQuery query;
    query.after = cursor_;
    query.limit = options_.page;
    lock.unlock();
    Page page;
    const Result<FeedPage> read = reader_.feed(query, page);
    lock.lock();
    if (!read.ok()) {
      pause_after_error(lock, read.status());
      return false;
    }
    problem_.clear();
    cursor_ = read->next;
    for (FeedEntryPtr& entry : page.entries) {
      ring_bytes_ += entry->size();
      ring_.push_back(std::move(entry));
    }
    while (ring_bytes_ > options_.ring_bytes && ring_.size() > 1) {
      ring_bytes_ -= ring_.front()->size();
      ring_.pop_front();
      ++first_;
    }
    if (!read->at_end) poked_ = true;
    return !page.entries.empty();
  }

  void pause_after_error(std::unique_lock<std::mutex>& lock, const Status& status) {
    if (problem_ != status.message()) {
      problem_ = status.message();
      services_.logger().warning("the live feed can't be read; trying again",
                                 {{"problem", status.to_string()}});
    }
    wake_.wait_for(lock, options_.poll, [&] { return !running_; });
  }

  void tell(std::unique_lock<std::mutex>& lock) {
    const std::set<LiveFeedListener*> listeners = listeners_;
    for (LiveFeedListener* listener : listeners) {
      if (!listeners_.contains(listener)) continue;
      telling_ = listener;
      lock.unlock();
      listener->feed_grew();
      lock.lock();
      telling_ = nullptr;
      told_.notify_all();
    }
  }

  const LiveFeedOptions options_;
  Reader& reader_;
  HostServices& services_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable told_;
  bool running_ = false;
  bool poked_ = false;
  bool asleep_ = true;          ///< nothing was read since the last listener left
  std::uint64_t wake_ups_ = 0;  ///< attempts to find the feed's end again
  Cursor cursor_;
  std::deque<FeedEntryPtr> ring_;
  std::uint64_t first_ = 0;  ///< index of the ring's first entry
  std::uint64_t ring_bytes_ = 0;
  std::set<LiveFeedListener*> listeners_;
  LiveFeedListener* telling_ = nullptr;
  std::string problem_;
  std::thread thread_;
};

LiveFeed::LiveFeed(LiveFeedOptions options, Reader& reader, HostServices& services)
    : impl_(std::make_unique<Impl>(options, reader, services)) {}
LiveFeed::~LiveFeed() = default;

Status LiveFeed::start() {
  return impl_->start();
}
void LiveFeed::stop() {
  impl_->stop();
}
void LiveFeed::poke() {
  impl_->poke();
}
LiveFeed::Position LiveFeed::position() const {
  return impl_->position();
}
std::optional<std::vector<FeedEntryPtr>> LiveFeed::entries(std::uint64_t index,
                                                           std::size_t max) const {
  return impl_->entries(index, max);
}
void LiveFeed::add(LiveFeedListener& listener) {
  impl_->add(listener);
}
void LiveFeed::remove(LiveFeedListener& listener) {
  impl_->remove(listener);
}

}  // namespace vouch::read
