// Parts of the reading of settings that nobody outside needs. Pure functions, any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace vouch::values {

/// The parts between separators, with spaces around each removed; none of an empty text.
std::vector<std::string> split(std::string_view text, char separator);

}  // namespace vouch::values
