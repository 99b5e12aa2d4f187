// What a MemoryStorage object is made of: its connection to the database and the interfaces it
// lends out. The parts share HostState, which outlives lanes and claims of a crashed host.
#pragma once

#include <atomic>
#include <memory>
#include <set>

#include "fault_step.h"
#include "memory_database.h"

namespace vouch::testkit {

/// [any-thread]; `marked` is guarded by the database's mutex.
struct HostState {
  HostState(MemoryDatabase::Impl& db, Faults& f, MemoryStorageOptions o)
      : database(db), faults(f), options(o) {}

  MemoryDatabase::Impl& database;
  Faults& faults;
  MemoryStorageOptions options;
  std::atomic<bool> open{false};
  std::atomic<bool> crashed{false};
  std::set<DeliveryId> marked;  ///< marks that only this host knows of, lost when it crashes

  /// Ok when the storage is open and the step may go on; notes the step and waits if it is stalled.
  Status enter(Step step);
  [[nodiscard]] Status usable() const;
};
using HostPtr = std::shared_ptr<HostState>;

std::unique_ptr<Lane> make_memory_lane(HostPtr host, SessionPtr session);

class MemoryLedger final : public Ledger {
 public:
  explicit MemoryLedger(HostPtr host) : host_(std::move(host)) {}
  Status ready(std::span<const Partition> partitions, LedgerNumber after, std::uint32_t max_events,
               DeliverySink& sink) override;
  Status complete(std::span<const DeliveryId> deliveries) override;
  Result<std::vector<std::uint8_t>> delivered(std::span<const DeliveryId> deliveries) override;
  Result<std::vector<Backlog>> backlog() override;
  Result<std::uint64_t> purge(std::chrono::seconds age, std::uint32_t limit) override;
  Result<std::unique_ptr<Claim>> claim(Partition partition) override;

 private:
  HostPtr host_;
};

class MemoryReader final : public Reader {
 public:
  explicit MemoryReader(HostPtr host) : host_(std::move(host)) {}
  Status stream(const StreamName& stream, Version from, Direction direction, std::uint32_t limit,
                EventSink& sink) override;
  Result<std::vector<Version>> heads(std::span<const StreamName> streams) override;
  Status event(const EventId& id, EventSink& sink) override;
  Result<FeedPage> feed(const FeedQuery& query, FeedSink& sink) override;
  Result<bool> reached(const Cursor& cursor, const Cursor& target) override;
  Result<Cursor> feed_end() override;
  Status streams(std::string_view category, std::string_view after, std::uint32_t limit,
                 StreamSink& sink) override;

 private:
  HostPtr host_;
};

class MemorySnapshots final : public SnapshotStore {
 public:
  explicit MemorySnapshots(HostPtr host) : host_(std::move(host)) {}
  Status save(std::span<const Snapshot> snapshots) override;
  Result<std::optional<Snapshot>> newest(const StreamName& stream) override;
  Status remove(const StreamName& stream) override;
  Result<std::uint64_t> prune(Timestamp time) override;

 private:
  HostPtr host_;
};

class MemoryDeadLetters final : public DeadLetterStore {
 public:
  explicit MemoryDeadLetters(HostPtr host) : host_(std::move(host)) {}
  Status put(std::span<const DeadLetter> letters) override;
  Result<std::vector<DeadLetter>> list(std::span<const Partition> partitions,
                                       const DeadLetterKey& after, std::uint32_t limit) override;
  Result<std::optional<DeadLetter>> find(const DeadLetterKey& key) override;
  Result<bool> replace(const DeadLetter& known, const DeadLetter& with) override;
  Result<bool> remove(const DeadLetter& known) override;

 private:
  HostPtr host_;
};

class MemoryHosts final : public HostRegistry {
 public:
  explicit MemoryHosts(HostPtr host) : host_(std::move(host)) {}
  Status announce(const HostEntry& self, std::chrono::milliseconds forget_after) override;
  Result<std::vector<SeenHost>> list() override;
  Status leave(const std::string& id) override;

 private:
  HostPtr host_;
};

class MemoryErasures final : public ErasureStore {
 public:
  explicit MemoryErasures(HostPtr host) : host_(std::move(host)) {}
  Result<ErasureOutcome> erase(const Erasure& erasure) override;
  Result<std::vector<ErasureRecord>> recorded(const StreamName& stream) override;

 private:
  HostPtr host_;
};

}  // namespace vouch::testkit
