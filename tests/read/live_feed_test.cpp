#include "read/live_feed.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <condition_variable>
#include <map>
#include <thread>

#include "host_under_test.h"

namespace vouch::read {
namespace {

using tests::Host;
using tests::make_append;
using tests::World;

/// A follower as the header of LiveFeed describes one: the database up to a position, then the
/// ring.
class Follower final : private LiveFeedListener, private FeedSink {
 public:
  Follower(LiveFeed& feed, Reader& reader, Cursor after) : feed_(feed), reader_(reader) {
    cursor_ = std::move(after);
    feed_.add(*this);
  }
  ~Follower() { feed_.remove(*this); }

  /// Reads until `count` events were seen; false after five seconds.
  bool read(std::size_t count) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    while (seen.size() < count && std::chrono::steady_clock::now() < deadline) {
      if (!live_) {
        catch_up();
      } else if (!take_ring()) {
        std::unique_lock lock(mutex_);
        grew_.wait_for(lock, std::chrono::milliseconds(50));
      }
    }
    return seen.size() >= count;
  }

  std::vector<std::pair<std::string, std::uint64_t>> seen;
  int catch_ups = 0;

 private:
  void feed_grew() override { grew_.notify_all(); }

  bool event(const EventView& event, std::string_view after) override {
    seen.emplace_back(event.stream, event.version.value);
    cursor_.bytes = after;
    return true;
  }

  void catch_up() {
    ++catch_ups;
    const LiveFeed::Position position = feed_.position();
    const auto ahead = reader_.reached(cursor_, position.cursor);
    REQUIRE(ahead.ok());
    if (*ahead && cursor_ != position.cursor) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      return;
    }
    FeedQuery query;
    query.after = cursor_;
    query.until = position.cursor;
    query.limit = 7;
    const auto page = reader_.feed(query, *this);
    REQUIRE(page.ok());
    cursor_ = page->next;
    if (!page->at_end) return;
    live_ = true;
    index_ = position.index;
  }

  bool take_ring() {
    const auto entries = feed_.entries(index_, 5);
    if (!entries) {
      live_ = false;
      return true;
    }
    for (const FeedEntryPtr& entry : *entries) event(entry->event(), entry->after());
    index_ += entries->size();
    return !entries->empty();
  }

  LiveFeed& feed_;
  Reader& reader_;
  Cursor cursor_;
  bool live_ = false;
  std::uint64_t index_ = 0;
  std::mutex mutex_;
  std::condition_variable grew_;
};

void check_versions_rise(const Follower& follower) {
  std::map<std::string, std::uint64_t> last;
  for (const auto& [stream, version] : follower.seen) CHECK(version == ++last[stream]);
}

void append(Host& host, int count) {
  for (int i = 0; i < count; ++i) {
    const auto answer = host.appends().append(make_append("account-" + std::to_string(i % 7), 2));
    if (answer.code != append::AppendCode::committed) std::abort();
  }
}

TEST_CASE("a follower that starts in the past joins the live end without gap or repetition") {
  World world;
  Host host(world);
  append(host, 50);
  std::thread writer([&] { append(host, 200); });
  Follower follower(host.live_feed(), host.storage().reader(), Cursor{});
  CHECK(follower.read(500));
  writer.join();
  CHECK(follower.seen.size() == 500);
  check_versions_rise(follower);
}

TEST_CASE("a follower that was passed by the ring reads the database again and skips nothing") {
  World world;
  Host host(world);
  testkit::TestServices services;
  LiveFeedOptions options;
  options.ring_bytes = 2'000;
  LiveFeed feed(options, host.storage().reader(), services);
  REQUIRE(feed.start().ok());
  {
    Follower follower(feed, host.storage().reader(), Cursor{});
    append(host, 5);
    feed.poke();
    REQUIRE(follower.read(10));
    append(host, 100);
    feed.poke();
    REQUIRE(follower.read(210));
    CHECK(follower.seen.size() == 210);
    CHECK(follower.catch_ups > 1);
    check_versions_rise(follower);
  }
  feed.stop();
}

TEST_CASE("nothing is read while nobody follows, and the next follower misses nothing") {
  World world;
  Host host(world);
  append(host, 5);
  const Cursor before = host.live_feed().position().cursor;
  append(host, 20);
  CHECK(host.live_feed().position().cursor == before);
  Follower follower(host.live_feed(), host.storage().reader(), before);
  append(host, 1);
  CHECK(follower.read(52));
  check_versions_rise(follower);
}

TEST_CASE("the live feed goes on after the storage could not be read") {
  World world;
  Host host(world);
  Follower follower(host.live_feed(), host.storage().reader(), Cursor{});
  append(host, 1);
  REQUIRE(follower.read(2));
  world.faults.arm(testkit::Step::read, testkit::Fault::fail, 1);
  append(host, 1);
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  CHECK(follower.read(4));
}

}  // namespace
}  // namespace vouch::read
