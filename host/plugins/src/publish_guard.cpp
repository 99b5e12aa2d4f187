// Outcomes of publishes, each exactly once.
#include "publish_guard.h"

#include <algorithm>
#include <atomic>
#include <string>
#include <utility>
#include <vector>

namespace vouch::plugins {
namespace {

/// Complete batches that are kept, in case that the plugin calls them again.
constexpr std::size_t kRetiredBatches = 16'384;
/// Deadlines beyond this are cut, so that adding them to the time can't overflow.
constexpr std::chrono::milliseconds kLongestDeadline = std::chrono::hours(24 * 7);

std::string of_messages(std::size_t some, std::size_t all) {
  return std::to_string(some) + " of " + std::to_string(all) + " messages";
}

}  // namespace

/// The messages of one publish, as the sink that the plugin sees.
class PublishGuard::Batch final : public PublishSink {
 public:
  enum class Place : std::uint8_t { outstanding, orphans, retired };

  Batch(PublishGuard& owner, std::size_t messages, Time start, Time expires, PublishSink& sink)
      : owner_(owner),
        sink_(sink),
        start_(start),
        expires_(expires),
        states_(messages),
        plugin_owes_(messages) {}

  void published(std::size_t index, PublishOutcome outcome, const Status& why) override {
    if (index >= states_.size()) {
      owner_.guard_.report("publish", "gave an outcome for message " + std::to_string(index) +
                                          " of " + std::to_string(states_.size()));
      return;
    }
    const State before = states_[index].exchange(State::reported, std::memory_order_acq_rel);
    if (before == State::reported) {
      owner_.guard_.report(
          "publish", "gave a second outcome for message " + std::to_string(index) + ", dropped");
      return;
    }
    if (before == State::answered) {
      owner_.guard_.report("publish", "gave the outcome of message " + std::to_string(index) +
                                          " after it had to be answered as unknown, dropped");
    } else {
      tell(index, outcome, why);
    }
    // The sink may be gone from here on, and with the last one this batch as well.
    if (plugin_owes_.fetch_sub(1, std::memory_order_acq_rel) == 1) owner_.complete(*this);
  }

  /// Takes the outcome of every message that has none out of the plugin's hands.
  std::vector<std::size_t> seal() {
    std::vector<std::size_t> sealed;
    for (std::size_t i = 0; i < states_.size(); ++i) {
      State expected = State::pending;
      if (states_[i].compare_exchange_strong(expected, State::answered,
                                             std::memory_order_acq_rel)) {
        sealed.push_back(i);
      }
    }
    return sealed;
  }

  void answer(const std::vector<std::size_t>& sealed, const Status& why) {
    for (const std::size_t index : sealed) tell(index, PublishOutcome::unknown, why);
  }

  [[nodiscard]] std::size_t size() const { return states_.size(); }
  [[nodiscard]] Time start() const { return start_; }
  [[nodiscard]] Time expires() const { return expires_; }

  Place place = Place::outstanding;  ///< guarded by the owner's lock, as is `self`
  Batches::iterator self;

 private:
  enum class State : std::uint8_t { pending, reported, answered };

  void tell(std::size_t index, PublishOutcome outcome, const Status& why) {
    try {
      sink_.published(index, outcome, why);
    } catch (const std::exception& error) {
      // The plugin must not have to deal with what the host's own code throws.
      owner_.guard_.services().logger().error("a publish sink of the host threw",
                                              {{"error", error.what()}});
    }
  }

  PublishGuard& owner_;
  PublishSink& sink_;
  const Time start_;
  const Time expires_;
  std::vector<std::atomic<State>> states_;
  std::atomic<std::size_t> plugin_owes_;
};

PublishGuard::PublishGuard(CallGuard& guard, std::chrono::milliseconds grace)
    : guard_(guard),
      publish_(guard.operation("publish")),
      acknowledge_(guard.operation("acknowledge")),
      grace_(grace) {}

PublishGuard::~PublishGuard() {
  answer_all();
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  if (watchdog_.joinable()) watchdog_.join();
}

Status PublishGuard::publish(Broker& broker, std::span<const Message> messages,
                             std::chrono::milliseconds deadline, PublishSink& sink) {
  if (messages.empty()) return {};
  const std::shared_ptr<Batch> batch = begin(messages.size(), deadline, sink);
  bool threw = false;
  const Status status = guard_.run(
      publish_, [&] { return broker.publish(messages, deadline, *batch); },
      [&threw](Status thrown) {
        threw = true;
        return thrown;
      });
  if (status.ok()) return {};

  const std::vector<std::size_t> sealed = batch->seal();
  retire(*batch, threw || sealed.size() < batch->size());
  if (sealed.size() == batch->size()) return status;
  if (!threw) {
    guard_.report("publish",
                  "reported an error (" + status.message() + ") after it had given outcomes");
  }
  batch->answer(sealed, status);
  return {};
}

void PublishGuard::answer_all() {
  Batches open;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& batch : outstanding_) {
      batch->place = Batch::Place::orphans;
      open.push_back(batch);
    }
    orphans_.splice(orphans_.end(), outstanding_);
  }
  for (const auto& batch : open) answer(*batch, "before it was closed");
}

std::shared_ptr<PublishGuard::Batch> PublishGuard::begin(std::size_t messages,
                                                         std::chrono::milliseconds deadline,
                                                         PublishSink& sink) {
  const Time now = std::chrono::steady_clock::now();
  const Time expires = now + std::min(deadline, kLongestDeadline) + grace_;
  auto batch = std::make_shared<Batch>(*this, messages, now, expires, sink);
  bool wake = false;
  {
    const std::lock_guard lock(mutex_);
    batch->self = outstanding_.insert(outstanding_.end(), batch);
    // While the watchdog sleeps until an earlier time, it need not know of this batch.
    wake = expires < wake_at_;
    if (wake) wake_at_ = expires;
    if (!watchdog_.joinable()) watchdog_ = std::thread([this] { watch(); });
  }
  if (wake) changed_.notify_all();
  return batch;
}

void PublishGuard::complete(Batch& batch) {
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - batch.start();
  acknowledge_.duration.observe(passed.count());
  retire(batch, false);
}

void PublishGuard::retire(Batch& batch, bool plugin_may_call) {
  Batches forgotten;
  const std::lock_guard lock(mutex_);
  if (batch.place == Batch::Place::retired) return;
  Batches& from = batch.place == Batch::Place::outstanding ? outstanding_ : orphans_;
  Batches& to = plugin_may_call ? orphans_ : retired_;
  to.splice(to.end(), from, batch.self);
  batch.place = plugin_may_call ? Batch::Place::orphans : Batch::Place::retired;
  if (retired_.size() > kRetiredBatches) {
    forgotten.splice(forgotten.begin(), retired_, retired_.begin());
  }
}

void PublishGuard::answer(Batch& batch, const std::string& what) {
  const std::vector<std::size_t> sealed = batch.seal();
  if (sealed.empty()) return;
  batch.answer(sealed, guard_.violation("publish", "gave no outcome for " +
                                                       of_messages(sealed.size(), batch.size()) +
                                                       " " + what));
}

void PublishGuard::watch() {
  std::unique_lock lock(mutex_);
  while (!ending_) {
    const Time until = wake_at_;
    const auto sooner = [&] { return ending_ || wake_at_ < until; };
    if (until == kNever) {
      changed_.wait(lock, sooner);
      continue;
    }
    if (changed_.wait_until(lock, until, sooner)) continue;
    const Batches expired = take_expired(std::chrono::steady_clock::now());
    lock.unlock();
    for (const auto& batch : expired) answer(*batch, "by their deadline");
    lock.lock();
  }
}

PublishGuard::Batches PublishGuard::take_expired(Time now) {
  Batches expired;
  wake_at_ = kNever;
  for (auto next = outstanding_.begin(); next != outstanding_.end();) {
    const auto batch = next++;
    if ((*batch)->expires() > now) {
      wake_at_ = std::min(wake_at_, (*batch)->expires());
      continue;
    }
    expired.push_back(*batch);
    (*batch)->place = Batch::Place::orphans;
    orphans_.splice(orphans_.end(), outstanding_, batch);
  }
  return expired;
}

}  // namespace vouch::plugins
