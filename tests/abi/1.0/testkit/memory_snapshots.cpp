// MemorySnapshots: the newest snapshot of each stream, kept in the database. [any-thread]
#include "memory_host.h"

namespace vouch::testkit {

Status MemorySnapshots::save(std::span<const Snapshot> snapshots) {
  if (Status status = host_->usable(); !status.ok()) return status;
  const std::lock_guard lock(host_->database.mutex);
  for (const Snapshot& snapshot : snapshots) {
    const auto [kept, added] =
        host_->database.snapshots.try_emplace(snapshot.stream.str(), snapshot);
    if (!added && kept->second.version < snapshot.version) kept->second = snapshot;
  }
  return {};
}

Result<std::optional<Snapshot>> MemorySnapshots::newest(const StreamName& stream) {
  if (Status status = host_->usable(); !status.ok()) return status;
  const std::lock_guard lock(host_->database.mutex);
  const auto found = host_->database.snapshots.find(stream.str());
  if (found == host_->database.snapshots.end()) return std::optional<Snapshot>{};
  return std::optional<Snapshot>{found->second};
}

Status MemorySnapshots::remove(const StreamName& stream) {
  if (Status status = host_->usable(); !status.ok()) return status;
  const std::lock_guard lock(host_->database.mutex);
  host_->database.snapshots.erase(stream.str());
  return {};
}

Result<std::uint64_t> MemorySnapshots::prune(Timestamp time) {
  if (Status status = host_->usable(); !status.ok()) return status;
  const std::lock_guard lock(host_->database.mutex);
  return std::erase_if(host_->database.snapshots,
                       [&](const auto& entry) { return entry.second.time < time; });
}

}  // namespace vouch::testkit
