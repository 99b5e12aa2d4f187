// The schema: numbered migrations embedded at build time, and the store's identity. MySQL commits
// before and after each CREATE, so a migration is not one transaction: each of its statements may
// be repeated, and a lock of the server keeps hosts from racing. One thread, at start-up.
#pragma once

#include <cstdint>
#include <span>

#include "session.h"
#include "vouch/storage.h"

namespace vouch::mysql {

struct Migration {
  std::int64_t number;
  const char* name;
  const char* sql;
};

/// In the order of their numbers, 1, 2, 3 …
std::span<const Migration> migrations();

/// Brings the database to the newest schema. Errors: failed_precondition when its schema is newer
/// than this plugin; unavailable when another host's migration does not end. Throws SqlError.
Status apply_migrations(Session& session, const Options& options);

/// Records `identity` in a new store, compares it in an old one. Throws SqlError.
Status settle_identity(Session& session, const Options& options, const StoreIdentity& identity);

}  // namespace vouch::mysql
