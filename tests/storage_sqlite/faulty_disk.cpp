#include "faulty_disk.h"

#include <sqlite3.h>

namespace vouch::sqlite::test {

namespace {

FaultyDisk* the_disk = nullptr;
sqlite3_vfs* real_vfs = nullptr;
sqlite3_vfs faulty_vfs;
sqlite3_io_methods log_methods;
const sqlite3_io_methods* real_methods = nullptr;

// The real layer makes the file object; only its method table is exchanged for one that counts.
int log_sync(sqlite3_file* file, int flags) {
  if (the_disk->failing_syncs > 0) {
    --the_disk->failing_syncs;
    return SQLITE_IOERR_FSYNC;
  }
  return real_methods->xSync(file, flags);
}

int log_write(sqlite3_file* file, const void* data, int size, sqlite3_int64 offset) {
  if (the_disk->full) return SQLITE_FULL;
  return real_methods->xWrite(file, data, size, offset);
}

int open_file(sqlite3_vfs* /*vfs*/, const char* name, sqlite3_file* file, int flags, int* out) {
  const int code = real_vfs->xOpen(real_vfs, name, file, flags, out);
  if (code != SQLITE_OK || (flags & SQLITE_OPEN_WAL) == 0) return code;
  if (real_methods == nullptr) {
    real_methods = file->pMethods;
    log_methods = *real_methods;
    log_methods.xSync = log_sync;
    log_methods.xWrite = log_write;
  }
  file->pMethods = &log_methods;
  return code;
}

}  // namespace

FaultyDisk::FaultyDisk() {
  the_disk = this;
  real_vfs = sqlite3_vfs_find(nullptr);
  faulty_vfs = *real_vfs;
  faulty_vfs.zName = "faulty";
  faulty_vfs.xOpen = open_file;
  sqlite3_vfs_register(&faulty_vfs, 1);
}

FaultyDisk::~FaultyDisk() {
  sqlite3_vfs_register(real_vfs, 1);
  sqlite3_vfs_unregister(&faulty_vfs);
}

}  // namespace vouch::sqlite::test
