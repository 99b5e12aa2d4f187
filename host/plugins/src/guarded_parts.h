// The guarded parts of a storage plugin: lanes, claims, ledger, reader, snapshots, dead letters,
// erasures. Each catches what its part throws and holds it to the sizes of its answers. Threads as
// in vouch/storage.h.
//
// Sinks are host code and are lent to the plugin as they are. They must not throw: what a sink
// throws on the thread of the call can't be told from what the plugin throws, and is reported as
// the plugin's.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "call_guard.h"
#include "vouch/dead_letter_store.h"
#include "vouch/erasure_store.h"
#include "vouch/host_registry.h"
#include "vouch/snapshot_store.h"
#include "vouch/storage.h"

namespace vouch::plugins {

/// The operations of a storage, resolved once.
struct StorageOperations {
  explicit StorageOperations(CallGuard& guard);
  CallGuard::Operation open, check, migrate, close, health, capabilities, guarantees, query;
  CallGuard::Operation lane, stage, commit, rollback, resolve, fence;
  CallGuard::Operation ready, complete, delivered, backlog, purge, claim;
  CallGuard::Operation read_stream, heads, read_event, feed, reached, feed_end, streams;
  CallGuard::Operation snapshot_save, snapshot_newest, snapshot_remove, snapshot_prune;
  CallGuard::Operation dead_letters_put, dead_letters_list, dead_letters_find;
  CallGuard::Operation dead_letters_replace, dead_letters_remove;
  CallGuard::Operation hosts_announce, hosts_list, hosts_leave;
  CallGuard::Operation erase, erasures_recorded;
};

class GuardedLane final : public Lane {
 public:
  GuardedLane(std::unique_ptr<Lane> lane, LaneNumber number, CallGuard& guard,
              const StorageOperations& operations)
      : lane_(std::move(lane)), number_(number), guard_(guard), operations_(operations) {}
  ~GuardedLane() override;
  GuardedLane(const GuardedLane&) = delete;
  GuardedLane& operator=(const GuardedLane&) = delete;

  [[nodiscard]] LaneNumber number() const override { return number_; }
  Result<StagedGroup> stage(std::span<const Append> appends) override;
  CommitResult commit() override;
  void rollback() override;

 private:
  std::unique_ptr<Lane> lane_;
  const LaneNumber number_;
  CallGuard& guard_;
  const StorageOperations& operations_;
};

class GuardedClaim final : public Claim {
 public:
  GuardedClaim(std::unique_ptr<Claim> claim, Partition partition, CallGuard& guard)
      : claim_(std::move(claim)), partition_(partition), guard_(guard) {}
  ~GuardedClaim() override;
  GuardedClaim(const GuardedClaim&) = delete;
  GuardedClaim& operator=(const GuardedClaim&) = delete;

  [[nodiscard]] Partition partition() const override { return partition_; }
  /// False as well when the plugin throws.
  [[nodiscard]] bool held() const override;

 private:
  std::unique_ptr<Claim> claim_;
  const Partition partition_;
  CallGuard& guard_;
};

class GuardedLedger final : public Ledger {
 public:
  GuardedLedger(Storage& storage, CallGuard& guard, const StorageOperations& operations)
      : storage_(storage), guard_(guard), operations_(operations) {}

  Status ready(std::span<const Partition> partitions, LedgerNumber after, std::uint32_t max_events,
               DeliverySink& sink) override;
  Status complete(std::span<const DeliveryId> deliveries) override;
  Result<std::vector<std::uint8_t>> delivered(std::span<const DeliveryId> deliveries) override;
  Result<std::vector<Backlog>> backlog() override;
  Result<std::uint64_t> purge(std::chrono::seconds age, std::uint32_t limit) override;
  Result<std::unique_ptr<Claim>> claim(Partition partition) override;

 private:
  Storage& storage_;
  CallGuard& guard_;
  const StorageOperations& operations_;
};

class GuardedReader final : public Reader {
 public:
  GuardedReader(Storage& storage, CallGuard& guard, const StorageOperations& operations)
      : storage_(storage), guard_(guard), operations_(operations) {}

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
  Storage& storage_;
  CallGuard& guard_;
  const StorageOperations& operations_;
};

class GuardedSnapshots final : public SnapshotStore {
 public:
  GuardedSnapshots(CallGuard& guard, const StorageOperations& operations)
      : guard_(guard), operations_(operations) {}

  /// Pre of all other calls. The same pointer each time.
  void bind(SnapshotStore* store) { store_.store(store, std::memory_order_release); }

  Status save(std::span<const Snapshot> snapshots) override;
  Result<std::optional<Snapshot>> newest(const StreamName& stream) override;
  Status remove(const StreamName& stream) override;
  Result<std::uint64_t> prune(Timestamp time) override;

 private:
  [[nodiscard]] SnapshotStore& store() { return *store_.load(std::memory_order_acquire); }

  std::atomic<SnapshotStore*> store_{nullptr};
  CallGuard& guard_;
  const StorageOperations& operations_;
};

class GuardedDeadLetters final : public DeadLetterStore {
 public:
  GuardedDeadLetters(CallGuard& guard, const StorageOperations& operations)
      : guard_(guard), operations_(operations) {}

  /// Pre of all other calls. The same pointer each time.
  void bind(DeadLetterStore* store) { store_.store(store, std::memory_order_release); }

  Status put(std::span<const DeadLetter> letters) override;
  Result<std::vector<DeadLetter>> list(std::span<const Partition> partitions,
                                       const DeadLetterKey& after, std::uint32_t limit) override;
  Result<std::optional<DeadLetter>> find(const DeadLetterKey& key) override;
  Result<bool> replace(const DeadLetter& known, const DeadLetter& with) override;
  Result<bool> remove(const DeadLetter& known) override;

 private:
  [[nodiscard]] DeadLetterStore& store() { return *store_.load(std::memory_order_acquire); }

  std::atomic<DeadLetterStore*> store_{nullptr};
  CallGuard& guard_;
  const StorageOperations& operations_;
};

class GuardedHosts final : public HostRegistry {
 public:
  GuardedHosts(CallGuard& guard, const StorageOperations& operations)
      : guard_(guard), operations_(operations) {}

  /// Pre of all other calls. The same pointer each time.
  void bind(HostRegistry* registry) { registry_.store(registry, std::memory_order_release); }

  Status announce(const HostEntry& self, std::chrono::milliseconds forget_after) override;
  Result<std::vector<SeenHost>> list() override;
  Status leave(const std::string& id) override;

 private:
  [[nodiscard]] HostRegistry& registry() { return *registry_.load(std::memory_order_acquire); }

  std::atomic<HostRegistry*> registry_{nullptr};
  CallGuard& guard_;
  const StorageOperations& operations_;
};

class GuardedErasures final : public ErasureStore {
 public:
  GuardedErasures(CallGuard& guard, const StorageOperations& operations)
      : guard_(guard), operations_(operations) {}

  /// Pre of all other calls. The same pointer each time.
  void bind(ErasureStore* store) { store_.store(store, std::memory_order_release); }

  Result<ErasureOutcome> erase(const Erasure& erasure) override;
  Result<std::vector<ErasureRecord>> recorded(const StreamName& stream) override;

 private:
  [[nodiscard]] ErasureStore& store() { return *store_.load(std::memory_order_acquire); }

  std::atomic<ErasureStore*> store_{nullptr};
  CallGuard& guard_;
  const StorageOperations& operations_;
};

/// A vector answer must have one entry for each entry of the question.
template <typename T>
Result<std::vector<T>> of_size(Result<std::vector<T>> answer, std::size_t asked, CallGuard& guard,
                               std::string_view call) {
  if (!answer.ok() || answer->size() == asked) return answer;
  return guard.violation(call, "gave " + std::to_string(answer->size()) + " answers to " +
                                   std::to_string(asked) + " questions");
}

}  // namespace vouch::plugins
