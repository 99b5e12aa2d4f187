// MemoryStorage: the storage contract in memory, with faults. Two parts, as in life: a
// MemoryDatabase that outlives "crashes", and MemoryStorage objects (hosts) that open it. Allows
// several lanes and several hosts, with the conflicts that a real database would have: a
// transaction sees its own rows and what was committed; a key taken by another open transaction
// makes the later one wait until that ends or the lock time-out passes (contended).
//
// Faults: stage fail, stall, throw_exception · commit fail (aborted), lose (done, unknown),
// lose_and_fail (not done, unknown), stall · rollback stall · resolve, ready, complete, read, claim
// fail, stall; complete lose (reported as marked, lost as in a crash of the host at `crash`) ·
// erase fail (not done), lose_and_fail (done, reported as failed), stall.
#pragma once

#include <chrono>
#include <memory>
#include <vector>

#include "vouch/dead_letter_store.h"
#include "vouch/erasure_store.h"
#include "vouch/event.h"
#include "vouch/host_registry.h"
#include "vouch/snapshot_store.h"
#include "vouch/storage.h"
#include "vouch/testkit/faults.h"

namespace vouch::testkit {

/// What a database server keeps. Shared by the hosts that open it. [any-thread]
class MemoryDatabase {
 public:
  MemoryDatabase();
  ~MemoryDatabase();

  /// Every committed event in commit order, for checks.
  [[nodiscard]] std::vector<Event> events() const;
  /// Ids of deliveries that are committed and not marked.
  [[nodiscard]] std::vector<DeliveryId> undelivered() const;

  class Impl;
  Impl& impl() { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

struct MemoryStorageOptions {
  std::uint32_t max_lanes = 0;
  std::chrono::milliseconds lock_timeout{1'000};
};

class MemoryStorage final : public Storage {
 public:
  /// Both must outlive it.
  MemoryStorage(MemoryDatabase& database, Faults& faults, MemoryStorageOptions options = {});
  ~MemoryStorage();

  /// Ends all sessions as a killed host does: open transactions roll back, locks and claims go,
  /// marks that were lost are lost. Calls on this object then fail with unavailable.
  void crash();

  Status open() override;
  Status check() override;
  Status migrate(const StoreIdentity& identity) override;
  void close() override;
  Health health() override;
  [[nodiscard]] StorageCapabilities capabilities() const override;
  [[nodiscard]] std::string guarantees() const override;
  Result<std::unique_ptr<Lane>> lane(LaneNumber number, std::chrono::milliseconds wait) override;
  Result<std::vector<Verdict>> resolve(std::span<const Token> tokens) override;
  Status fence(const Token& token) override;
  Ledger& ledger() override;
  Reader& reader() override;
  void* query(std::string_view interface_id) override;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace vouch::testkit
