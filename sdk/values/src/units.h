// Numbers with units as people write them, in both directions, for messages and tables. Pure
// functions, any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "vouch/settings.h"

namespace vouch::values {

/// "90s", "2m", "250us": the largest unit that leaves no rest.
std::string duration_text(std::chrono::microseconds value);
/// "1MiB", "1500": the largest power of 1024 that leaves no rest.
std::string size_text(std::uint64_t bytes);

/// The bound of a range in the unit that people write, for a setting of that type.
std::string bound_text(SettingType type, std::int64_t bound);

/// "must be between 10ms and 1h", "must be at least 1"; empty when the table gives no range.
std::string range_text(const SettingSpec& spec);

/// The parts between separators, with spaces around each removed; none of an empty text.
std::vector<std::string> split(std::string_view text, char separator);

/// In double quotes, with control characters made visible, cut between two characters to at most
/// `longest` bytes.
std::string quoted_text(std::string_view text, std::size_t longest = 60);

}  // namespace vouch::values
