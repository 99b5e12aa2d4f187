// Metadata is the text of a JSON object; these change and look into it without re-encoding the
// rest. Stateless, any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "vouch/status.h"

namespace vouch::format {

/// `metadata` with a string member put in front, unless it has a member of that name already.
/// Pre: `metadata` is empty or the checked text of a JSON object.
std::string with_member(std::string_view metadata, std::string_view key, std::string_view value);

/// The string member of that name, unescaped, if there is one.
std::optional<std::string> string_member(std::string_view metadata, std::string_view key);

}  // namespace vouch::format
