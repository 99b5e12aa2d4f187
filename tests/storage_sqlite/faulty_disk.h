// FaultyDisk: a SQLite file system layer that fails syncs or writes of the write-ahead log on
// request. Made the default for the life of the object, so that the plugin's sessions use it.
// One at a time; the switches may be set by any thread.
#pragma once

#include <atomic>

namespace vouch::sqlite::test {

class FaultyDisk {
 public:
  FaultyDisk();
  FaultyDisk(const FaultyDisk&) = delete;
  FaultyDisk& operator=(const FaultyDisk&) = delete;
  ~FaultyDisk();

  /// How many syncs of a log fail from now on (with SQLITE_IOERR_FSYNC).
  std::atomic<int> failing_syncs{0};
  /// While true, writes to a log fail as on a full disk (with SQLITE_FULL).
  std::atomic<bool> full{false};
};

}  // namespace vouch::sqlite::test
