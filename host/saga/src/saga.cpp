#include "saga/saga.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <thread>
#include <utility>

#include "delivered_waiters.h"
#include "delivery_round.h"
#include "partition_table.h"
#include "publish/deadline.h"
#include "signal_book.h"
#include "vouch/thread_name.h"
#include "written_events.h"

namespace vouch::saga {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::minutes kPurgeInterval{1};
constexpr std::uint32_t kPurgeRows = 5'000;
constexpr std::uint32_t kPurgesAtOnce = 20;
constexpr std::chrono::milliseconds kAskAgainAfterError{200};
constexpr std::uint64_t kWrittenBytes = 16U << 20U;

}  // namespace

class Saga::Impl {
 public:
  Impl(SagaOptions options, Storage& storage, Broker& broker, std::vector<Route> routes,
       HostServices& services)
      : options_(std::move(options)),
        storage_(storage),
        routes_(std::move(routes)),
        services_(services),
        waiters_(storage),
        partitions_(options_, storage, broker, signals_, services),
        round_(options_, storage, routes_, partitions_, signals_, waiters_, written_, services,
               give_up_) {}

  ~Impl() { stop(steady_clock::now()); }

  Status start() {
    const Status claimed = partitions_.claim_free_partitions();
    if (!claimed.ok()) {
      partitions_.release_all();
      return claimed;
    }
    running_ = true;
    thread_ = std::thread([this] { run(); });
    return {};
  }

  void stop(steady_clock::time_point deadline) {
    publish::bring_forward(stop_by_, deadline);
    if (!running_.exchange(false)) return;
    signals_.wake();
    while (!finished_.load() && steady_clock::now() < stop_by_.load()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    give_up_ = true;
    thread_.join();
    partitions_.release_all();
  }

  void keep_written(std::vector<Append> appends, const StagedGroup& staged) {
    written_.keep(std::move(appends), staged);
  }

  void transaction_ended(const Token& token, bool committed) { signals_.ended(token, committed); }

  bool wait_delivered(const std::vector<DeliveryId>& deliveries,
                      steady_clock::time_point deadline) {
    return waiters_.wait(deliveries, deadline);
  }

  Result<std::vector<PartitionReport>> report() {
    const Result<std::vector<Backlog>> backlog = storage_.ledger().backlog();
    if (!backlog.ok()) return backlog.status();
    const std::vector<PartitionCounts> counts = partitions_.counts();
    std::vector<PartitionReport> reports(counts.size());
    for (std::size_t i = 0; i < counts.size(); ++i) {
      reports[i].partition = Partition{static_cast<std::uint32_t>(i)};
      reports[i].owned = counts[i].owned;
      reports[i].delivered = counts[i].delivered;
      reports[i].redelivered = counts[i].redelivered;
      reports[i].phantoms = counts[i].phantoms;
      reports[i].recovered = counts[i].recovered;
      reports[i].problem = counts[i].problem;
    }
    for (const Backlog& entry : *backlog) {
      if (entry.partition.value >= reports.size()) continue;
      reports[entry.partition.value].undelivered = entry.events;
      reports[entry.partition.value].oldest = entry.oldest;
    }
    return reports;
  }

 private:
  void run() {
    name_this_thread("saga");
    auto next_sweep = steady_clock::now();
    auto next_purge = steady_clock::now() + kPurgeInterval;
    while (running_.load()) {
      if (const auto now = steady_clock::now(); now >= next_sweep) {
        sweep(now);
        next_sweep = now + options_.sweep_interval;
      }
      if (const auto now = steady_clock::now(); now >= next_purge) {
        purge();
        next_purge = now + kPurgeInterval;
      }
      ask_about_signals();
      take_settled_signals();
      const std::vector<Partition> due = partitions_.take_due(steady_clock::now());
      if (!due.empty()) {
        round_.run(due);
        continue;
      }
      signals_.wait(partitions_.next_retry(next_sweep));
    }
    finished_ = true;
  }

  /// What nobody signalled: looks at every owned partition, and for partitions without an owner.
  void sweep(steady_clock::time_point now) {
    const Status claimed = partitions_.claim_free_partitions();
    if (claimed.ok()) {
      claim_problem_.clear();
    } else if (claimed.message() != claim_problem_) {
      claim_problem_ = claimed.message();
      services_.logger().warning("can't claim partitions", {{"problem", claimed.to_string()}});
    }
    partitions_.settle_unsignalled(now);
    partitions_.mark_all_due();
  }

  void purge() {
    for (std::uint32_t i = 0; i < kPurgesAtOnce && running_.load(); ++i) {
      const Result<std::uint64_t> purged = storage_.ledger().purge(options_.purge_age, kPurgeRows);
      if (!purged.ok()) {
        services_.logger().warning("can't purge the ledger",
                                   {{"problem", purged.status().to_string()}});
        return;
      }
      if (*purged == 0) return;
    }
  }

  /// Is it in the database? Never answered by a clock.
  void ask_about_signals() {
    const auto now = steady_clock::now();
    const std::vector<Token> questions = signals_.take_questions(now);
    if (questions.empty()) return;
    const Result<std::vector<Verdict>> verdicts = storage_.resolve(questions);
    if (verdicts.ok() && verdicts->size() == questions.size()) {
      signals_.answer(questions, *verdicts, steady_clock::now());
    } else {
      signals_.postpone(questions, steady_clock::now() + kAskAgainAfterError);
    }
  }

  void take_settled_signals() {
    const auto now = steady_clock::now();
    for (const SettledSignal& signal : signals_.take_settled()) {
      switch (signal.verdict) {
        case Verdict::committed:
          if (partitions_.signalled(signal.delivery, now)) {
            partitions_.mark_due(signal.delivery.partition);
          }
          break;
        case Verdict::aborted:
          partitions_.count_phantom(signal.delivery.partition);
          break;
        case Verdict::forgotten:    // delivered long ago
        case Verdict::in_progress:  // never settled
          break;
      }
    }
  }

  const SagaOptions options_;
  Storage& storage_;
  const std::vector<Route> routes_;
  HostServices& services_;
  std::atomic<bool> give_up_{false};
  SignalBook signals_;
  DeliveredWaiters waiters_;
  PartitionTable partitions_;
  WrittenEvents written_{kWrittenBytes};
  DeliveryRound round_;
  std::string claim_problem_;
  std::atomic<bool> running_{false};
  std::atomic<bool> finished_{false};
  std::atomic<steady_clock::time_point> stop_by_{steady_clock::time_point::max()};
  std::thread thread_;
};

Saga::Saga(SagaOptions options, Storage& storage, Broker& validation_broker,
           std::vector<Route> routes, HostServices& services)
    : impl_(std::make_unique<Impl>(std::move(options), storage, validation_broker,
                                   std::move(routes), services)) {}
Saga::~Saga() = default;

Status Saga::start() {
  return impl_->start();
}
void Saga::stop(std::chrono::steady_clock::time_point deadline) {
  impl_->stop(deadline);
}
void Saga::keep_written(std::vector<Append> appends, const StagedGroup& staged) {
  impl_->keep_written(std::move(appends), staged);
}
void Saga::transaction_ended(const Token& token, bool committed) {
  impl_->transaction_ended(token, committed);
}
bool Saga::wait_delivered(const std::vector<DeliveryId>& deliveries,
                          std::chrono::steady_clock::time_point deadline) {
  return impl_->wait_delivered(deliveries, deadline);
}
Result<std::vector<PartitionReport>> Saga::report() {
  return impl_->report();
}

}  // namespace vouch::saga
