// Saga: from "a transaction says it wrote events" to "they are on their outbound topics". Consumes
// the validation topic, asks the database what became of each transaction, publishes committed
// events in ledger order, marks them delivered, and sweeps the ledger for what nobody signalled.
// Delivers only partitions whose claim this host holds. [any-thread] unless said otherwise.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "publish/outbound.h"
#include "vouch/broker.h"
#include "vouch/dead_letter_store.h"
#include "vouch/host_services.h"
#include "vouch/storage.h"

namespace vouch::saga {

using publish::Route;

struct SagaOptions {
  std::string store;
  std::uint32_t partitions = 8;
  std::string validation_topic = "vouch.validation";
  std::chrono::milliseconds sweep_interval{1'000};
  std::chrono::milliseconds publish_timeout{10'000};
  std::uint32_t max_round_events = 2'000;  ///< events published before the next acknowledgement
  /// After a failed publish a partition waits this long, doubling up to the maximum.
  std::chrono::milliseconds first_retry{100};
  std::chrono::milliseconds max_retry{5'000};
  std::chrono::seconds purge_age{7 * 24 * 3600};
  std::string host_name;  ///< what other hosts, and people, call this one
  /// How often hosts that share the store look for each other.
  std::chrono::milliseconds host_interval{500};
};

/// A host that shares the store, as this one knows it.
struct HostReport {
  std::string id;
  std::string name;
  bool self = false;
  bool here = false;              ///< heard of lately
  std::chrono::milliseconds age;  ///< since it was heard of
  Timestamp started;
  std::vector<Partition> owned;  ///< none unless it is here
};

struct PartitionReport {
  Partition partition;
  bool owned = false;             ///< by this host
  std::uint64_t undelivered = 0;  ///< events
  std::optional<Timestamp> oldest;
  std::uint64_t delivered = 0;    ///< events, by this host since it started; as all below
  std::uint64_t redelivered = 0;  ///< events published again after an attempt that was not acked
  std::uint64_t phantoms = 0;     ///< validation messages whose transaction aborted
  std::uint64_t recovered = 0;    ///< deliveries found by the sweep, without a validation message
  std::string problem;            ///< why it waits, in words; empty when it does not
};

/// Counts of events since the host started, of the partitions that it owns.
struct RouteReport {
  std::string name;
  std::string broker;
  std::string topic;                        ///< the template
  std::uint64_t delivered = 0;              ///< acknowledged on this route
  std::uint64_t redelivered = 0;            ///< published again after an attempt that was not acked
  std::uint64_t dead_letters = 0;           ///< streams that wait behind a refused event
  std::optional<Timestamp> oldest_waiting;  ///< when the oldest delivery that failed was written
  std::string problem;                      ///< why it waits, in words; empty when it does not
};

class Saga {
 public:
  /// All references must outlive the saga. Starts nothing.
  Saga(SagaOptions options, Storage& storage, Broker& validation_broker, std::vector<Route> routes,
       HostServices& services);
  ~Saga();
  Saga(const Saga&) = delete;
  Saga& operator=(const Saga&) = delete;

  /// Subscribes, claims partitions, starts its threads. Errors: from subscribe. [startup]
  Status start();

  /// Finishes the round that is under way until `deadline`, gives claims back, joins. Idempotent; a
  /// call with an earlier deadline cuts short one that waits.
  void stop(std::chrono::steady_clock::time_point deadline);

  /// What a committed transaction of this host wrote; saves reading it back. `staged` has a result
  /// for each append.
  void keep_written(std::vector<Append> appends, const StagedGroup& staged);

  /// What this host knows of the end of a transaction of its own; saves asking the database. Never
  /// a reason to deliver by itself.
  void transaction_ended(const Token& token, bool committed);

  /// Waits until all are marked delivered, by whichever host. False when the deadline passed.
  bool wait_delivered(const std::vector<DeliveryId>& deliveries,
                      std::chrono::steady_clock::time_point deadline);

  /// One entry for each partition. Asks the database for the backlog.
  Result<std::vector<PartitionReport>> report();
  /// The hosts that share the store, in the order of their ids. Asks nobody.
  [[nodiscard]] std::vector<HostReport> host_reports() const;
  /// One entry for each route, in their order. Asks nobody.
  [[nodiscard]] std::vector<RouteReport> route_reports() const;

  /// Dead letters of the store with keys above `after`, in the order of their keys; none when the
  /// storage keeps none.
  Result<std::vector<DeadLetter>> dead_letters(const DeadLetterKey& after, std::uint32_t limit);
  /// Publishes a refused event again, and what waits behind it. Errors: not_found when no letter of
  /// that key is at that version, failed_precondition while it is being published again,
  /// invalid_argument when there is no such route any more (a discard removes its letters),
  /// unavailable.
  Status retry(const DeadLetterKey& key, Version version);
  /// Gives a refused event up on its route, and goes on behind it. Errors: the same.
  Status discard(const DeadLetterKey& key, Version version);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace vouch::saga
