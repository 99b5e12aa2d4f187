// The result of an append as it is kept with its idempotency key, so that a repeat gets the first
// answer. Plain functions, any thread.
#pragma once

#include <string>
#include <string_view>

#include "vouch/append.h"

namespace vouch::staging {

/// Of `ranges`, `ids`, `token` and `deliveries`.
std::string encode_result(const StageResult& result);

/// A `duplicate` with what was encoded. Errors: corrupt.
Result<StageResult> decode_result(std::string_view bytes);

}  // namespace vouch::staging
