// AppendService: the way of events into the store. Appends wait in a bounded queue; a free lane
// writes what waits in one transaction, publishes to the validation topic inside it, commits, and
// answers (docs/architecture.md, "The flow"). [any-thread] unless said otherwise.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "append/event_ids.h"
#include "vouch/broker.h"
#include "vouch/host_services.h"
#include "vouch/storage.h"

namespace vouch::append {

struct AppendOptions {
  std::string store;             ///< the store's name
  std::uint32_t partitions = 8;  ///< of the store
  std::uint32_t lanes = 4;       ///< lowered to what the storage can do
  std::uint32_t first_lane = 0;  ///< lane numbers first_lane … first_lane + lanes - 1
  std::uint32_t max_group_events = 1'000;
  std::uint64_t max_group_bytes = 1U << 20U;
  std::uint32_t queue_events = 20'000;  ///< events that may wait
  /// How long `append` lets one wait for a lane.
  std::chrono::milliseconds queue_timeout{15'000};
  std::uint32_t cached_heads = 100'000;  ///< stream heads remembered
  /// How long an open transaction keeps other lanes from beginning before a group is full.
  std::chrono::milliseconds patience{20};
  std::chrono::milliseconds publish_timeout{5'000};
  /// How long a lost commit answer is asked for before the client is told commit_unknown.
  std::chrono::milliseconds resolve_timeout{10'000};
  /// How long a request with a key that is being written right now waits for the other's answer.
  std::chrono::milliseconds idempotency_wait{2'000};
  std::string validation_topic = "vouch.validation";
};

enum class AppendCode : std::uint8_t {
  committed,            ///< durable
  duplicate,            ///< was stored before; the first answer once more
  wrong_version,        ///< nothing written: `failed`, `actual`
  key_reused,           ///< nothing written: the idempotency key stands for another request
  key_in_flight,        ///< the same key is being written right now; that request goes on
  id_reused,            ///< nothing written: an event id belongs to another event
  invalid,              ///< nothing written: the storage refuses the events for good
  too_large,            ///< nothing written: over a limit of the storage or the broker
  overloaded,           ///< nothing written: the queue is full, or it waited there for too long
  storage_unavailable,  ///< nothing written
  broker_unavailable,   ///< nothing written: the validation publish failed, rolled back
  commit_unknown,  ///< the commit's answer was lost and the database can't be asked yet: `token`
};

struct AppendAnswer {
  AppendCode code = AppendCode::storage_unavailable;
  Status reason;                     ///< in words; ok for committed and duplicate
  std::vector<VersionRange> ranges;  ///< one for each write: committed, duplicate
  std::vector<EventId> ids;  ///< of all writes in order: committed, duplicate, commit_unknown
  Token token;               ///< committed, duplicate, commit_unknown
  std::vector<DeliveryId> deliveries;  ///< committed, duplicate
  std::uint32_t failed = 0;            ///< index of the write or precondition: wrong_version
  Version actual;                      ///< wrong_version
};

using AppendDone = std::function<void(AppendAnswer)>;

/// Hears the end of every transaction that this host wrote, on the lane's thread, after the clients
/// were answered. Returns quickly.
class TransactionListener {
 public:
  /// What a transaction wrote that is committed; its `ended` follows. Appends that were put off
  /// (lost_race) may be empty.
  virtual void written(std::vector<Append> appends, const StagedGroup& staged) = 0;
  virtual void ended(const Token& token, bool committed) = 0;

 protected:
  ~TransactionListener() = default;
};

struct LaneReport {
  LaneNumber number;
  bool open = false;    ///< holds its lock and session
  std::string problem;  ///< why it is not open
};

class AppendService {
 public:
  /// All references must outlive the service. Starts nothing.
  AppendService(AppendOptions options, Storage& storage, Broker& validation_broker,
                TransactionListener& listener, HostServices& services);
  ~AppendService();
  AppendService(const AppendService&) = delete;
  AppendService& operator=(const AppendService&) = delete;

  /// Opens the lanes and starts their threads. Errors: held, unavailable. [startup]
  Status start();

  /// Stops taking appends, finishes what waits until `deadline`, answers the rest
  /// storage_unavailable ("stopping"), and joins. Idempotent; a call with an earlier deadline cuts
  /// short one that waits.
  void stop(std::chrono::steady_clock::time_point deadline);

  /// Takes an append. `done` is called exactly once, from any thread, also from inside `submit`;
  /// it must not block. Event ids that are all zero are drawn here. Partitions are filled in here.
  /// Pre: names are valid, each write has events and each stream stands once.
  void submit(Append append, AppendDone done);

  /// `submit`, and waits for the answer. What no lane takes within `queue_timeout` is answered
  /// `overloaded`.
  AppendAnswer append(Append append);

  [[nodiscard]] std::vector<LaneReport> lanes() const;

  /// Events that no lane has taken yet.
  [[nodiscard]] std::uint64_t waiting_events() const;

  /// Raises ids within this host.
  EventIds& event_ids();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace vouch::append
