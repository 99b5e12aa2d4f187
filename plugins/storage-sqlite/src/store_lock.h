// StoreLock: the right to be the only host on a file, held as a lock on "<path>.lock" by an open
// file description, so that the operating system gives it back when the process dies, however it
// dies, and so that two storages in one process refuse each other too. One thread at a time.
#pragma once

#include <string>

#include "vouch/status.h"

namespace vouch::sqlite {

class StoreLock {
 public:
  StoreLock() = default;
  StoreLock(const StoreLock&) = delete;
  StoreLock& operator=(const StoreLock&) = delete;
  ~StoreLock() { release(); }

  /// Errors: held (with the owner's process id), permission_denied, unavailable. Never waits.
  Status take(const std::string& path);
  /// Idempotent. The lock's file stays: removing it would race with the next owner.
  void release();

 private:
  int descriptor_ = -1;
};

}  // namespace vouch::sqlite
