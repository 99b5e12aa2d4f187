// PartitionTable: what this host knows of each partition: whether it owns it, which signals it
// waits to see loaded, and the counts for the report. Claims and subscriptions live and die here
// together, so that an owner always hears its validation messages.
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

#include "members.h"
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
  std::map<std::string, std::string> problems;  ///< why a route waits, by its name
};

class PartitionTable {
 public:
  using Time = std::chrono::steady_clock::time_point;

  PartitionTable(const SagaOptions& options, Storage& storage, Broker& broker, SignalBook& signals,
                 Members& members, HostServices& services);
  ~PartitionTable();

  /// Gives up partitions whose claim is lost and tries to claim those that this host should have.
  /// Errors: from subscribe and claim, of the first partition that has one; `held` is not an error.
  Status claim_free_partitions();

  /// Gives back as many partitions as others have too few. Pre: no route has one of them out.
  void release_surplus();
  [[nodiscard]] std::vector<Partition> owned() const;

  /// Stops subscriptions and gives all claims back.
  void release_all();

  [[nodiscard]] std::size_t size() const { return states_.size(); }
  /// Whether this host holds the claim.
  [[nodiscard]] bool deliverable(Partition partition) const {
    const State& owner = states_[partition.value];
    return owner.claim && owner.claim->held();
  }
  /// Differs between claims of a partition; 0 while there is none.
  [[nodiscard]] std::uint64_t generation(Partition partition) const {
    return states_[partition.value].generation;
  }
  /// Partitions whose subscription missed messages, since the last call.
  std::set<Partition> take_gaps();

  /// Why a route can't deliver the partition; empty when it can again.
  void set_problem(Partition partition, const std::string& route, const std::string& problem);

  /// A committed delivery was signalled.
  void signalled(const DeliveryId& delivery, Time now);
  /// A delivery was loaded by a route. Without a signal it counts as recovered, unless one comes
  /// soon or another route loaded it before.
  void loaded(const DeliveryId& delivery, bool signal_is_here, Time now);
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
    std::uint64_t generation = 0;
    std::map<LedgerNumber, Time> signalled;    ///< signals of deliveries not loaded yet
    std::map<LedgerNumber, Time> unsignalled;  ///< loaded without a signal
    std::set<LedgerNumber> attempted;          ///< loaded and not yet delivered; the newest
  };

  void mark_gap(Partition partition);
  Status claim(State& state, Partition partition);
  void release(State& state, Partition partition);
  State& state(Partition partition) { return states_[partition.value]; }

  const SagaOptions& options_;
  Storage& storage_;
  Broker& broker_;
  SignalBook& signals_;
  Members& members_;
  HostServices& services_;
  Counter& phantoms_metric_;
  Counter& recovered_metric_;
  Counter& redelivered_metric_;
  Counter& delivered_metric_;
  Gauge& owned_metric_;
  std::vector<State> states_;
  std::uint64_t claims_ = 0;
  mutable std::mutex mutex_;  ///< guards `counts_` and `gaps_`
  std::vector<PartitionCounts> counts_;
  std::set<Partition> gaps_;
};

}  // namespace vouch::saga
