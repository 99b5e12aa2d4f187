// SnapshotSaver: saves snapshots in the background, best effort. A full queue, a slow or failing
// storage is counted and logged, and never fails or slows an append. [any-thread]
#pragma once

#include <cstdint>
#include <memory>

#include "vouch/host_services.h"
#include "vouch/snapshot_store.h"

namespace vouch::read {

class SnapshotSaver {
 public:
  /// `queue_bytes`: data that may wait; beyond it the newest offer is dropped.
  SnapshotSaver(SnapshotStore& store, HostServices& services,
                std::uint64_t queue_bytes = 64U << 20U);
  ~SnapshotSaver();
  SnapshotSaver(const SnapshotSaver&) = delete;
  SnapshotSaver& operator=(const SnapshotSaver&) = delete;

  void start();
  /// Saves what waits, for a second at most, and joins. Idempotent.
  void stop();

  /// False when the queue is full; the snapshot is then dropped.
  bool offer(Snapshot snapshot);

  /// Waits until everything offered before is saved or has failed. For tests and DELETE.
  void flush();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace vouch::read
