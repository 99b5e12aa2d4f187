// The head of a stream that must exist. [any-thread]; asks the storage.
#pragma once

#include "context.h"
#include "vouch/types.h"

namespace vouch::http {

/// Rejects with not_found when there is no such stream.
Version existing_head(const StreamName& stream, Context& context);

}  // namespace vouch::http
