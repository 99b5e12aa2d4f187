// SnapshotSaver: saves snapshots in the background, best effort. A full queue, a slow or failing
// storage is counted and logged, and never fails or slows an append. [any-thread]
#pragma once

#include <cstdint>
#include <memory>
#include <utility>

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

  /// While it lives no snapshot of the stream is saved: one that is offered is dropped, and
  /// counted. Ends before the saver.
  class [[nodiscard]] Hold {
   public:
    Hold(const Hold&) = delete;
    Hold& operator=(const Hold&) = delete;
    ~Hold();

   private:
    friend class SnapshotSaver;
    Hold(SnapshotSaver& saver, StreamName stream) : saver_(saver), stream_(std::move(stream)) {}
    SnapshotSaver& saver_;
    const StreamName stream_;
  };

  /// Drops what waits of the stream, and waits for what is being saved. For an erasure: what was
  /// offered before must not turn up behind it.
  Hold hold(const StreamName& stream);

  /// Waits until everything offered before is saved or has failed. For tests and DELETE.
  void flush();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace vouch::read
