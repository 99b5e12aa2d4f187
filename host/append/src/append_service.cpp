#include "append/append_service.h"

#include <algorithm>
#include <atomic>
#include <future>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "append_metrics.h"
#include "append_queue.h"
#include "head_caches.h"
#include "key_gate.h"
#include "lane_writer.h"
#include "publish/deadline.h"
#include "vouch/thread_name.h"

namespace vouch::append {
namespace {

/// Lane numbers tried for each lane before giving up: other hosts hold lower ones.
constexpr std::uint32_t kLaneAttempts = 256;
constexpr std::chrono::milliseconds kLaneLockWait{200};

struct LaneSlot {
  LaneNumber number;
  std::unique_ptr<LaneWriter> writer;
  std::thread thread;
};

}  // namespace

class AppendService::Impl {
 public:
  Impl(AppendOptions options, Storage& storage, Broker& broker, TransactionListener& listener,
       HostServices& services)
      : options_(std::move(options)),
        storage_(storage),
        broker_(broker),
        listener_(listener),
        services_(services),
        metrics_(services.metrics()),
        ids_(services.clock()),
        keys_(options_.idempotency_wait),
        queue_(options_.partitions, {options_.max_group_events, options_.max_group_bytes},
               options_.patience, metrics_.waiting_events),
        heads_(options_.partitions, options_.cached_heads) {}

  ~Impl() { stop(std::chrono::steady_clock::now()); }

  Status start() {
    const std::uint32_t most = storage_.capabilities().max_lanes;
    const std::uint32_t count = most == 0 ? options_.lanes : std::min(options_.lanes, most);
    std::vector<LaneSlot> slots;
    for (std::uint32_t i = 0; i < count; ++i) {
      Result<std::unique_ptr<Lane>> lane = open_lane(i, count);
      if (!lane.ok()) return lane.status().with_context("open lane " + std::to_string(i));
      LaneSlot slot;
      slot.number = (*lane)->number();
      slot.writer = std::make_unique<LaneWriter>(
          LaneEnvironment{options_, storage_, broker_, listener_, services_, metrics_, ids_, queue_,
                          heads_, give_up_},
          std::move(*lane));
      slots.push_back(std::move(slot));
    }
    const std::lock_guard lock(mutex_);
    slots_ = std::move(slots);
    for (LaneSlot& slot : slots_) {
      ++running_lanes_;
      slot.thread = std::thread([this, number = slot.number, writer = slot.writer.get()] {
        name_this_thread("lane-" + std::to_string(number.value));
        writer->run();
        --running_lanes_;
      });
    }
    accepting_ = true;
    return {};
  }

  void stop(std::chrono::steady_clock::time_point deadline) {
    accepting_ = false;
    publish::bring_forward(stop_by_, deadline);
    const std::lock_guard stop_lock(stop_mutex_);
    queue_.close();
    while (running_lanes_.load() > 0 && std::chrono::steady_clock::now() < stop_by_.load()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    // What is in a transaction now is finished if it can be; what still waits is refused.
    refuse_all();
    give_up_ = true;
    for (LaneSlot& slot : slots_) {
      if (slot.thread.joinable()) slot.thread.join();
      refuse_all();  // a lost race may have come back meanwhile
      slot.writer.reset();
    }
  }

  AppendAnswer append(Append append) {
    std::promise<AppendAnswer> promise;
    std::future<AppendAnswer> answer = promise.get_future();
    const std::uint64_t number =
        submit(std::move(append), [&](AppendAnswer got) { promise.set_value(std::move(got)); });
    // What a lane has taken is answered when its transaction is over, unless it comes back into the
    // queue after a lost race.
    while (answer.wait_for(options_.queue_timeout) == std::future_status::timeout) withdraw(number);
    return answer.get();
  }

  /// Returns the number of its ticket.
  std::uint64_t submit(Append append, AppendDone done) {
    const std::uint64_t number = ++last_number_;
    if (!accepting_.load()) {
      done(failed_answer(AppendCode::storage_unavailable,
                         Status(StatusCode::cancelled, "the host is stopping")));
      return number;
    }
    for (Write& write : append.writes) {
      write.partition = partition_of(write.stream.view(), options_.partitions);
    }
    PendingAppend pending;
    pending.append = std::move(append);
    pending.ticket.done = std::move(done);
    pending.ticket.number = number;
    pending.ticket.taken = std::chrono::steady_clock::now();
    measure(pending);
    // An append that is larger than the queue gets in when nothing else waits.
    const std::uint64_t waiting = queue_.events();
    if (waiting > 0 && waiting + pending.ticket.events > options_.queue_events) {
      metrics_.overloaded.increment();
      pending.ticket.done(failed_answer(
          AppendCode::overloaded,
          Status(StatusCode::overloaded, "too many events wait to be written; try again later")));
      return number;
    }
    const auto& idempotency = pending.append.idempotency;
    if (idempotency && !keys_.enter(*idempotency, pending.ticket.done)) return number;
    if (!queue_.push(pending)) refuse(pending);
    return number;
  }

  [[nodiscard]] std::vector<LaneReport> lanes() const {
    const std::lock_guard lock(mutex_);
    std::vector<LaneReport> reports;
    for (const LaneSlot& slot : slots_) {
      reports.push_back(
          {slot.number, accepting_.load(), accepting_.load() ? "" : "the host is stopping"});
    }
    return reports;
  }

  [[nodiscard]] std::uint64_t waiting_events() const { return queue_.events(); }

  EventIds& ids() { return ids_; }

 private:
  Result<std::unique_ptr<Lane>> open_lane(std::uint32_t index, std::uint32_t count) {
    Status last(StatusCode::held, "every lane number is held by another host");
    for (std::uint32_t attempt = 0; attempt < kLaneAttempts; ++attempt) {
      const LaneNumber number{options_.first_lane + index + attempt * count};
      Result<std::unique_ptr<Lane>> lane =
          storage_.lane(number, attempt == 0 ? kLaneLockWait : std::chrono::milliseconds(0));
      if (lane.ok() || lane.status().code() != StatusCode::held) return lane;
      last = lane.status();
    }
    return last;
  }

  static void refuse(PendingAppend& pending) {
    pending.ticket.done(failed_answer(AppendCode::storage_unavailable,
                                      Status(StatusCode::cancelled, "the host is stopping")));
  }

  /// Of an append that waited for too long.
  void withdraw(std::uint64_t number) {
    const std::optional<PendingAppend> pending = queue_.withdraw(number);
    if (!pending) return;
    metrics_.overloaded.increment();
    pending->ticket.done(failed_answer(
        AppendCode::overloaded,
        Status(StatusCode::overloaded,
               "no transaction could begin for " + std::to_string(options_.queue_timeout.count()) +
                   " ms (append.queue_timeout); /readyz says what is missing, if something is")));
  }

  void refuse_all() {
    for (PendingAppend& pending : queue_.take_all()) refuse(pending);
  }

  const AppendOptions options_;
  Storage& storage_;
  Broker& broker_;
  TransactionListener& listener_;
  HostServices& services_;
  AppendMetrics metrics_;
  EventIds ids_;
  KeyGate keys_;
  AppendQueue queue_;
  HeadCaches heads_;
  std::atomic<std::uint64_t> last_number_{0};
  std::atomic<bool> accepting_{false};
  std::atomic<bool> give_up_{false};
  std::atomic<std::chrono::steady_clock::time_point> stop_by_{
      std::chrono::steady_clock::time_point::max()};
  std::atomic<std::uint32_t> running_lanes_{0};
  mutable std::mutex mutex_;  ///< guards `slots_` against `lanes`; fixed between start and stop
  std::mutex stop_mutex_;
  std::vector<LaneSlot> slots_;
};

AppendService::AppendService(AppendOptions options, Storage& storage, Broker& validation_broker,
                             TransactionListener& listener, HostServices& services)
    : impl_(std::make_unique<Impl>(std::move(options), storage, validation_broker, listener,
                                   services)) {}
AppendService::~AppendService() = default;

Status AppendService::start() {
  return impl_->start();
}
void AppendService::stop(std::chrono::steady_clock::time_point deadline) {
  impl_->stop(deadline);
}
void AppendService::submit(Append append, AppendDone done) {
  impl_->submit(std::move(append), std::move(done));
}

AppendAnswer AppendService::append(Append append) {
  return impl_->append(std::move(append));
}

std::vector<LaneReport> AppendService::lanes() const {
  return impl_->lanes();
}
std::uint64_t AppendService::waiting_events() const {
  return impl_->waiting_events();
}
EventIds& AppendService::event_ids() {
  return impl_->ids();
}

}  // namespace vouch::append
