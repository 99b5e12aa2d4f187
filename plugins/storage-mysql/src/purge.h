// Purging: takes old deliveries and idempotency keys away and remembers what was taken. One session
// without an open transaction; any thread.
#pragma once

#include <cstdint>

#include "session.h"
#include "vouch/types.h"

namespace vouch::mysql {

/// One transaction: at most `limit` deliveries that were marked at or before `before`, and as many
/// keys written by then. Returns the rows. Throws SqlError; nothing is removed then.
std::uint64_t purge_once(Session& session, std::uint32_t partitions, Timestamp before,
                         std::uint32_t limit);

/// Whether the delivery with that number was purged. Throws SqlError.
bool is_purged(Session& session, LedgerNumber number);

}  // namespace vouch::mysql
