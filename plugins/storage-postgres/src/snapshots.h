// PostgresSnapshots: the newest snapshot of each stream. [any-thread]
#pragma once

#include "backend.h"
#include "vouch/snapshot_store.h"

namespace vouch::postgres {

class PostgresSnapshots final : public SnapshotStore {
 public:
  explicit PostgresSnapshots(Backend& backend) : backend_(backend) {}
  Status save(std::span<const Snapshot> snapshots) override;
  Result<std::optional<Snapshot>> newest(const StreamName& stream) override;
  Status remove(const StreamName& stream) override;
  Result<std::uint64_t> prune(Timestamp time) override;

 private:
  Backend& backend_;
};

}  // namespace vouch::postgres
