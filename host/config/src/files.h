// Reading small files whole. Any thread.
#pragma once

#include <cstdint>
#include <string>

#include "vouch/status.h"

namespace vouch::config {

/// The content of a regular file of at most `largest` bytes. Errors: not_found, unavailable,
/// too_large; the message does not repeat the path.
Result<std::string> read_file(const std::string& path, std::uintmax_t largest);

/// The file's permission bits when its group or others may read it, else 0.
unsigned readable_by_others(const std::string& path);

}  // namespace vouch::config
