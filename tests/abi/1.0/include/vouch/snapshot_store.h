// SnapshotStore: an optional interface of a storage plugin. Snapshots are a cache of state: saved
// in the background, best effort, never part of consistency. Newest means highest version, never
// the latest time or id (a KSUID orders only to the second).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "vouch/types.h"

namespace vouch {

struct Snapshot {
  StreamName stream;
  Version version;  ///< the stream's version that the state stands for
  Timestamp time;
  std::string content_type;
  std::string data;
};

/// [any-thread] for all methods.
class SnapshotStore {
 public:
  static constexpr const char* kInterface = "vouch.storage.snapshots/1";

  /// Saves each snapshot unless one of a newer or the same version is there. Not atomic across
  /// snapshots.
  virtual Status save(std::span<const Snapshot> snapshots) = 0;

  /// The newest snapshot of a stream, or nothing.
  virtual Result<std::optional<Snapshot>> newest(const StreamName& stream) = 0;

  /// Drops the snapshots of a stream. Ok when there are none.
  virtual Status remove(const StreamName& stream) = 0;

  /// Drops snapshots saved before `time`; returns how many.
  virtual Result<std::uint64_t> prune(Timestamp time) = 0;

 protected:
  ~SnapshotStore() = default;
};

}  // namespace vouch
