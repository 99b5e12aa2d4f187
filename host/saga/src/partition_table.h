// PartitionTable: what this host knows of each partition: whether it owns it, whether there is
// work, whether it waits after a failure, and the counts for the report. Claims and subscriptions
// live and die here together, so that an owner always hears its validation messages.
//
// `mark_gap`, `counts`: [any-thread]. The rest: the saga's thread.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "saga/saga.h"
#include "signal_book.h"

namespace vouch::saga {

/// Counts of events and messages since the host started.
struct PartitionCounts {
  bool owned = false;
  std::uint64_t delivered = 0;
  std::uint64_t redelivered = 0;
  std::uint64_t phantoms = 0;
  std::uint64_t recovered = 0;
  std::string problem;
};

class PartitionTable {
 public:
  using Time = std::chrono::steady_clock::time_point;

  PartitionTable(const SagaOptions& options, Storage& storage, Broker& broker, SignalBook& signals,
                 HostServices& services);
  ~PartitionTable();

  /// Gives up partitions whose claim is lost and tries to claim those that nobody owns.
  /// Errors: from subscribe and claim, of the first partition that has one; `held` is not an error.
  Status claim_free_partitions();

  /// Stops subscriptions and gives all claims back.
  void release_all();

  /// Something may be ready in that partition.
  void mark_due(Partition partition);
  /// The same for every owned partition.
  void mark_all_due();

  /// Owned partitions that are due and do not wait after a failure; no longer due then.
  std::vector<Partition> take_due(Time now);
  /// When the first partition that waits after a failure may go on; `otherwise` if none waits.
  [[nodiscard]] Time next_retry(Time otherwise) const;

  /// A round left something undelivered: wait, longer each time, then be due again.
  void failed(Partition partition, const std::string& problem, Time now);
  void succeeded(Partition partition);

  /// A committed delivery was signalled; false if it was loaded before the signal came.
  bool signalled(const DeliveryId& delivery, Time now);
  /// A delivery was loaded. Without a signal it counts as recovered, unless one comes soon.
  /// Returns whether it was loaded before and is now published again.
  bool loaded(const DeliveryId& delivery, bool signal_is_here, Time now);
  void delivered(const DeliveryId& delivery, std::uint64_t events);

  /// Counts as recovered what was loaded a while ago and never signalled.
  void settle_unsignalled(Time now);

  void count_redelivered(Partition partition, std::uint64_t events);
  void count_phantom(Partition partition);
  [[nodiscard]] std::vector<PartitionCounts> counts() const;
  [[nodiscard]] bool owns(Partition partition) const;

 private:
  class ValidationSink;
  struct State {
    std::unique_ptr<ValidationSink> sink;
    std::unique_ptr<Claim> claim;
    std::unique_ptr<Subscription> subscription;  ///< destroyed before the sink and the claim
    bool due = false;
    Time retry_at{};
    std::chrono::milliseconds pause{0};
    std::map<LedgerNumber, Time> signalled;    ///< signals of deliveries not loaded yet
    std::map<LedgerNumber, Time> unsignalled;  ///< loaded without a signal
    std::set<LedgerNumber> attempted;          ///< loaded and not yet delivered
  };

  void mark_gap(Partition partition);
  Status claim(State& state, Partition partition);
  void release(State& state, Partition partition);
  State& state(Partition partition) { return states_[partition.value]; }

  const SagaOptions& options_;
  Storage& storage_;
  Broker& broker_;
  SignalBook& signals_;
  HostServices& services_;
  Counter& phantoms_metric_;
  Counter& recovered_metric_;
  Counter& redelivered_metric_;
  Counter& delivered_metric_;
  Gauge& owned_metric_;
  std::vector<State> states_;
  mutable std::mutex mutex_;  ///< guards `counts_` and `gaps_`
  std::vector<PartitionCounts> counts_;
  std::set<Partition> gaps_;
};

}  // namespace vouch::saga
