// The schema: numbered migrations embedded at build time, each applied in one transaction, and the
// store's identity. One thread, at start-up.
#pragma once

#include <cstdint>
#include <span>

#include "connection.h"
#include "vouch/storage.h"

namespace vouch::sqlite {

struct Migration {
  std::int64_t number;
  const char* name;
  const char* sql;
};

/// In the order of their numbers, 1, 2, 3 …
std::span<const Migration> migrations();

/// Brings the file to the newest schema. Errors: failed_precondition when its schema is newer than
/// this plugin, or when it holds another program's tables. Throws SqlError.
Status apply_migrations(Connection& connection, const std::string& path);

/// Records `identity` in a new store, compares it in an old one. Throws SqlError.
Status settle_identity(Connection& connection, const std::string& path,
                       const StoreIdentity& identity);

}  // namespace vouch::sqlite
