// The schema: numbered migrations embedded at build time, applied in one transaction under a lock,
// and the store's identity. One thread, at start-up; hosts may race.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "session.h"
#include "vouch/storage.h"

namespace vouch::postgres {

struct Migration {
  std::int64_t number;
  const char* name;
  const char* sql;
};

/// In the order of their numbers, 1, 2, 3 …
std::span<const Migration> migrations();

/// Brings the schema to the newest version, creating it if need be. Errors: failed_precondition
/// when it is newer than this plugin, or holds another program's tables. Throws SqlError.
Status apply_migrations(Session& session, const Options& options);

/// Records `identity` in a new store, compares it in an old one. Throws SqlError.
Status settle_identity(Session& session, const Options& options, const StoreIdentity& identity);

/// The object id of the schema.
std::int32_t schema_id(Session& session, const Options& options);

}  // namespace vouch::postgres
