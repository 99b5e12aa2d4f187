#include "follow_hub.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <map>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#include "catch_up.h"
#include "follow_format.h"
#include "follower.h"
#include "live_batch.h"
#include "vouch/thread_name.h"

namespace vouch::http {
namespace {

using TimePoint = std::chrono::steady_clock::time_point;

constexpr std::uint64_t kWakeId = 0;  // of the eventfd; followers count from 1
constexpr std::size_t kReaders = 2;
constexpr std::chrono::milliseconds kWaitForLive{20};
constexpr std::chrono::milliseconds kRetryDatabase{500};

}  // namespace

class FollowHub::Impl final : private read::LiveFeedListener {
 public:
  Impl(FollowHubOptions options, Reader& reader, read::LiveFeed& live_feed, HostServices& services)
      : options_(options),
        live_feed_(live_feed),
        services_(services),
        followers_gauge_(
            services.metrics().gauge("vouch_followers", "Clients that follow the feed.", {})),
        readers_(reader, live_feed,
                 [this](CatchUpResult result) { read_done(std::move(result)); }) {}

  ~Impl() {
    if (epoll_ >= 0) ::close(epoll_);
    if (wake_ >= 0) ::close(wake_);
  }

  Status start() {
    epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
    wake_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = kWakeId;
    if (epoll_ < 0 || wake_ < 0 || ::epoll_ctl(epoll_, EPOLL_CTL_ADD, wake_, &event) != 0) {
      return {StatusCode::unavailable, "the follow hub can't open its descriptors: " +
                                           std::generic_category().message(errno)};
    }
    readers_.start(kReaders);
    thread_ = std::thread([this] {
      name_this_thread("follow-hub");
      run();
    });
    return {};
  }

  void stop() {
    if (!thread_.joinable()) return;
    stopping_ = true;
    wake();
    thread_.join();
    readers_.stop();
  }

  bool reserve() {
    if (stopping_) return false;
    if (count_.fetch_add(1) < options_.max_followers) return true;
    count_.fetch_sub(1);
    return false;
  }

  void give_back() { count_.fetch_sub(1); }

  void add(const Poco::Net::StreamSocket& socket, FollowStart start, std::string head,
           bool chunked) {
    {
      const std::lock_guard lock(mutex_);
      arrived_.push_back({socket, std::move(start), std::move(head), chunked});
    }
    wake();
  }

 private:
  struct Arrival {
    Poco::Net::StreamSocket socket;
    FollowStart start;
    std::string head;
    bool chunked;
  };
  using Followers = std::map<std::uint64_t, std::unique_ptr<Follower>>;

  void feed_grew() override {
    // One wake-up for any number of commits while the hub's thread is busy.
    if (!grew_.exchange(true)) wake();
  }

  void read_done(CatchUpResult result) {
    {
      const std::lock_guard lock(mutex_);
      results_.push_back(std::move(result));
    }
    wake();
  }

  void wake() const {
    const std::uint64_t one = 1;
    // Fails only when the counter is full, and then the thread will wake anyway.
    [[maybe_unused]] const ssize_t written = ::write(wake_, &one, sizeof one);
  }

  void run() {
    next_beat_ = now() + options_.heartbeat;
    std::array<epoll_event, 64> events;
    while (!stopping_) {
      const int ready =
          ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), timeout());
      for (int i = 0; i < ready; ++i) socket_ready(events[static_cast<std::size_t>(i)]);
      take_arrivals();
      take_results();
      if (grew_.exchange(false)) serve_all_live();
      serve_rested();
      beat();
    }
    take_arrivals();
    for (auto& [id, follower] : followers_) follower->end();
    while (!followers_.empty()) remove(followers_.begin()->first);
  }

  [[nodiscard]] TimePoint now() const { return services_.clock().steady(); }

  /// Milliseconds until something is due by time; -1: nothing is.
  [[nodiscard]] int timeout() const {
    if (followers_.empty()) return -1;
    TimePoint due = next_beat_;
    if (!resting_.empty()) due = std::min(due, resting_.begin()->first);
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(due - now()).count();
    return static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000));
  }

  void socket_ready(const epoll_event& event) {
    if (event.data.u64 == kWakeId) {
      std::uint64_t count = 0;
      [[maybe_unused]] const ssize_t got = ::read(wake_, &count, sizeof count);
      return;
    }
    const auto found = followers_.find(event.data.u64);
    if (found == followers_.end()) return;
    if ((event.events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) return remove(found->first);
    LiveBatch batch(live_feed_);
    advance(*found->second, batch);
  }

  void take_arrivals() {
    std::vector<Arrival> arrivals;
    {
      const std::lock_guard lock(mutex_);
      arrivals.swap(arrived_);
    }
    for (Arrival& arrival : arrivals) {
      if (followers_.empty()) begin_following();
      const std::uint64_t id = ++last_id_;
      auto follower = std::make_unique<Follower>(id, arrival.socket, std::move(arrival.start),
                                                 std::move(arrival.head), arrival.chunked);
      epoll_event event{};
      event.events = EPOLLRDHUP;
      event.data.u64 = id;
      const int added = ::epoll_ctl(epoll_, EPOLL_CTL_ADD, follower->descriptor(), &event);
      Follower& added_follower = *follower;
      followers_.emplace(id, std::move(follower));
      followers_gauge_.set(static_cast<double>(followers_.size()));
      if (added != 0) {
        remove(id);
        continue;
      }
      LiveBatch batch(live_feed_);
      advance(added_follower, batch);
    }
  }

  void take_results() {
    std::vector<CatchUpResult> results;
    {
      const std::lock_guard lock(mutex_);
      results.swap(results_);
    }
    if (results.empty()) return;
    LiveBatch batch(live_feed_);
    for (CatchUpResult& result : results) {
      const auto found = followers_.find(result.follower);
      if (found == followers_.end()) continue;
      if (take_result(*found->second, std::move(result))) {
        advance(*found->second, batch);
      } else {
        found->second->end();
        remove(found->first);
      }
    }
  }

  /// False when the follower can't be served any more.
  bool take_result(Follower& follower, CatchUpResult result) {
    using Next = CatchUpResult::Next;
    follower.job_running = false;
    follower.append(result.text);
    follower.after = std::move(result.after);
    switch (result.next) {
      case Next::read_on:
        return true;
      case Next::join:
        follower.state = Follower::State::live;
        follower.live_index = result.live_index;
        return true;
      case Next::wait:
        rest(follower, kWaitForLive);
        return true;
      case Next::retry:
        services_.logger().warning("can't read the feed for a follower, trying again",
                                   {{"reason", result.failure.message()}});
        rest(follower, kRetryDatabase);
        return true;
      case Next::give_up:
        services_.logger().warning("a follower is ended", {{"reason", result.failure.message()}});
        return false;
    }
    return false;
  }

  void rest(Follower& follower, std::chrono::milliseconds time) {
    follower.rest_until = now() + time;
    resting_.emplace(follower.rest_until, follower.id);
  }

  void serve_rested() {
    const TimePoint time = now();
    while (!resting_.empty() && resting_.begin()->first <= time) {
      const std::uint64_t id = resting_.begin()->second;
      resting_.erase(resting_.begin());
      const auto found = followers_.find(id);
      LiveBatch batch(live_feed_);
      if (found != followers_.end()) advance(*found->second, batch);
    }
  }

  void serve_all_live() {
    LiveBatch batch(live_feed_);
    for (auto next = followers_.begin(); next != followers_.end();) {
      Follower& follower = *next->second;
      ++next;  // `advance` may remove the follower
      if (follower.state == Follower::State::live) advance(follower, batch);
    }
  }

  void beat() {
    if (now() < next_beat_) return;
    next_beat_ = now() + options_.heartbeat;
    LiveBatch batch(live_feed_);
    for (auto next = followers_.begin(); next != followers_.end();) {
      Follower& follower = *next->second;
      ++next;
      // A follower with output waiting gets something anyway.
      if (follower.waiting() > 0) continue;
      std::string text;
      append_heartbeat(text, follower.format, follower.after.bytes);
      follower.append(text);
      advance(follower, batch);
    }
  }

  /// Sends what waits and makes more while there is room. May remove the follower.
  void advance(Follower& follower, LiveBatch& batch) {
    for (;;) {
      if (!follower.flush()) return remove(follower.id);
      if (follower.state == Follower::State::live && !serve_live(follower, batch)) {
        follower.state = Follower::State::catching_up;
      }
      if (follower.state == Follower::State::catching_up) {
        request_page(follower);
        break;
      }
      if (follower.waiting() == 0) break;
      if (!follower.flush()) return remove(follower.id);
      if (follower.waiting() > 0) break;
    }
    want_write(follower, follower.waiting() > 0);
  }

  /// Fills the buffer from the live feed. False when the ring has moved past the follower.
  bool serve_live(Follower& follower, LiveBatch& batch) {
    if (!follower.caught_up_said) {
      std::string text;
      append_caught_up(text, follower.format, follower.after.bytes);
      follower.append(text);
      follower.caught_up_said = true;
    }
    while (follower.waiting() < kFollowerBytes) {
      const LiveBatch::Found found = batch.seek(follower.live_index);
      if (found != LiveBatch::Found::entry) return found == LiveBatch::Found::nothing_yet;
      const read::FeedEntry& entry = batch.entry();
      if (matches(follower.filter, entry.event())) {
        follower.append(batch.text(follower.format));
      }
      follower.after.bytes = entry.after();
      ++follower.live_index;
    }
    return true;
  }

  void request_page(Follower& follower) {
    if (follower.job_running || follower.waiting() > kFollowerLowBytes) return;
    if (now() < follower.rest_until) return;
    follower.job_running = true;
    readers_.submit({follower.id, follower.format, follower.filter, follower.after});
  }

  void want_write(Follower& follower, bool wanted) {
    if (follower.wants_write == wanted) return;
    follower.wants_write = wanted;
    epoll_event event{};
    event.events = EPOLLRDHUP;
    if (wanted) event.events |= EPOLLOUT;
    event.data.u64 = follower.id;
    ::epoll_ctl(epoll_, EPOLL_CTL_MOD, follower.descriptor(), &event);
  }

  /// The live feed reads nothing as long as nobody listens.
  void begin_following() {
    next_beat_ = now() + options_.heartbeat;
    live_feed_.add(*this);
  }

  void remove(std::uint64_t id) {
    // Closing the socket takes it out of epoll.
    if (followers_.erase(id) > 0 && followers_.empty()) live_feed_.remove(*this);
    followers_gauge_.set(static_cast<double>(followers_.size()));
    give_back();
  }

  const FollowHubOptions options_;
  read::LiveFeed& live_feed_;
  HostServices& services_;
  Gauge& followers_gauge_;
  int epoll_ = -1;
  int wake_ = -1;
  std::atomic<bool> stopping_{false};
  std::atomic<bool> grew_{false};
  std::atomic<std::uint32_t> count_{0};

  std::mutex mutex_;  // guards what other threads hand over
  std::vector<Arrival> arrived_;
  std::vector<CatchUpResult> results_;

  // Of the hub's thread.
  Followers followers_;
  std::multimap<TimePoint, std::uint64_t> resting_;
  TimePoint next_beat_;
  std::uint64_t last_id_ = 0;

  std::thread thread_;
  CatchUpReaders readers_;
};

FollowHub::FollowHub(FollowHubOptions options, Reader& reader, read::LiveFeed& live_feed,
                     HostServices& services)
    : impl_(std::make_unique<Impl>(options, reader, live_feed, services)) {}

FollowHub::~FollowHub() {
  stop();
}

Status FollowHub::start() {
  return impl_->start();
}
void FollowHub::stop() {
  impl_->stop();
}
bool FollowHub::reserve() {
  return impl_->reserve();
}
void FollowHub::give_back() {
  impl_->give_back();
}

void FollowHub::add(const Poco::Net::StreamSocket& socket, FollowStart start, std::string head,
                    bool chunked) {
  impl_->add(socket, std::move(start), std::move(head), chunked);
}

}  // namespace vouch::http
