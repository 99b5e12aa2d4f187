// MysqlSnapshots: the newest snapshot of each stream. Any thread.
#pragma once

#include "backend.h"
#include "vouch/snapshot_store.h"

namespace vouch::mysql {

class MysqlSnapshots final : public SnapshotStore {
 public:
  explicit MysqlSnapshots(Backend& backend) : backend_(backend) {}
  MysqlSnapshots(const MysqlSnapshots&) = delete;
  MysqlSnapshots& operator=(const MysqlSnapshots&) = delete;
  ~MysqlSnapshots() = default;

  Status save(std::span<const Snapshot> snapshots) override;
  Result<std::optional<Snapshot>> newest(const StreamName& stream) override;
  Status remove(const StreamName& stream) override;
  Result<std::uint64_t> prune(Timestamp time) override;

 private:
  Backend& backend_;
};

}  // namespace vouch::mysql
