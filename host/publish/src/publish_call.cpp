#include "publish/publish_call.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <utility>

namespace vouch::publish {
namespace {
constexpr std::chrono::milliseconds kGrace{1'000};
constexpr std::chrono::milliseconds kLook{100};
}  // namespace

/// Outlives the caller's wait: it keeps itself alive until the broker has reported on every
/// message.
class PublishCall::Batch final : public PublishSink {
 public:
  Batch(std::size_t messages, std::function<void()> done)
      : outcomes_(messages, PublishOutcome::unknown),
        reported_(messages, 0),
        missing_(messages),
        done_(std::move(done)) {}

  void keep(std::shared_ptr<Batch> self) { self_ = std::move(self); }

  void published(std::size_t index, PublishOutcome outcome, const Status& why) override {
    std::shared_ptr<Batch> last_owner;  // declared first: released after the lock
    std::unique_lock lock(mutex_);
    if (index >= outcomes_.size() || reported_[index] != 0) return;
    reported_[index] = 1;
    outcomes_[index] = outcome;
    if (outcome != PublishOutcome::acked) {
      const Status reason =
          why.ok() ? Status(StatusCode::unavailable, "the broker gave no reason") : why;
      if (outcome == PublishOutcome::rejected) refusals_.emplace(index, reason);
      if (index < first_problem_) {
        first_problem_ = index;
        problem_ = reason;
      }
    }
    if (--missing_ > 0) return;
    last_owner = std::move(self_);
    all_reported_.notify_all();
    lock.unlock();
    if (done_) done_();
  }

  bool finished() const {
    const std::lock_guard lock(mutex_);
    return missing_ == 0;
  }

  /// Nothing was taken: no report will come.
  void abandon() {
    const std::lock_guard lock(mutex_);
    self_.reset();
  }

  PublishReport wait_until(std::chrono::steady_clock::time_point latest,
                           const std::atomic<bool>& give_up) {
    std::unique_lock lock(mutex_);
    while (missing_ > 0 && !give_up.load()) {
      const auto now = std::chrono::steady_clock::now();
      if (now >= latest) break;
      all_reported_.wait_until(lock, std::min(latest, now + kLook));
    }
    return known();
  }

  PublishReport report() const {
    const std::lock_guard lock(mutex_);
    return known();
  }

 private:
  /// Pre: the mutex is held.
  PublishReport known() const {
    PublishReport report{outcomes_, problem_, refusals_};
    if (missing_ > 0 && report.problem.ok()) {
      report.problem = Status(StatusCode::timeout, "the broker did not acknowledge in time");
    }
    return report;
  }

  mutable std::mutex mutex_;
  std::condition_variable all_reported_;
  std::vector<PublishOutcome> outcomes_;
  std::vector<char> reported_;
  std::size_t missing_;
  std::size_t first_problem_ = static_cast<std::size_t>(-1);
  Status problem_;
  std::map<std::size_t, Status> refusals_;
  const std::function<void()> done_;
  std::shared_ptr<Batch> self_;
};

PublishCall::PublishCall(Broker& broker, std::span<const Message> messages,
                         std::chrono::milliseconds deadline, std::function<void()> done)
    : batch_(std::make_shared<Batch>(messages.size(), std::move(done))),
      messages_(messages.size()),
      latest_(std::chrono::steady_clock::now() + deadline + kGrace) {
  if (messages.empty()) return;
  batch_->keep(batch_);
  taken_ = broker.publish(messages, deadline, *batch_);
  if (!taken_.ok()) batch_->abandon();
}

PublishReport PublishCall::wait(const std::atomic<bool>& give_up) {
  if (messages_ == 0) return {};
  if (!taken_.ok()) {
    return {std::vector<PublishOutcome>(messages_, PublishOutcome::unknown), taken_, {}};
  }
  return batch_->wait_until(latest_, give_up);
}

bool PublishCall::finished() const {
  return messages_ == 0 || !taken_.ok() || batch_->finished() ||
         std::chrono::steady_clock::now() >= latest_;
}

PublishReport PublishCall::report() const {
  if (messages_ == 0) return {};
  if (!taken_.ok()) {
    return {std::vector<PublishOutcome>(messages_, PublishOutcome::unknown), taken_, {}};
  }
  return batch_->report();
}

PublishReport publish_and_wait(Broker& broker, std::span<const Message> messages,
                               std::chrono::milliseconds deadline,
                               const std::atomic<bool>& give_up) {
  return PublishCall(broker, messages, deadline).wait(give_up);
}

}  // namespace vouch::publish
