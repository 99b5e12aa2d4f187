// Writing a time without a string of its own. Stateless, any thread.
#pragma once

#include <string>

#include "vouch/types.h"

namespace vouch::format {

/// Appends `time_text(time)`.
void append_time(std::string& out, Timestamp time);

}  // namespace vouch::format
