// SqliteSnapshots: the newest snapshot of each stream, written in turns of their own between the
// lane's transactions. Any thread.
#pragma once

#include "backend.h"
#include "vouch/snapshot_store.h"

namespace vouch::sqlite {

class SqliteSnapshots final : public SnapshotStore {
 public:
  explicit SqliteSnapshots(Backend& backend) : backend_(backend) {}
  SqliteSnapshots(const SqliteSnapshots&) = delete;
  SqliteSnapshots& operator=(const SqliteSnapshots&) = delete;
  ~SqliteSnapshots() = default;

  Status save(std::span<const Snapshot> snapshots) override;
  Result<std::optional<Snapshot>> newest(const StreamName& stream) override;
  Status remove(const StreamName& stream) override;
  Result<std::uint64_t> prune(Timestamp time) override;

 private:
  Backend& backend_;
};

}  // namespace vouch::sqlite
