// The part of a log line that is ours: message and fields, as text or as members of a JSON object.
// Whatever a client sent, a line stays one line. Pure functions, any thread.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "vouch/host_services.h"

namespace vouch::observe {

/// `message key=value key="two words"`
std::string text_line(std::string_view message, std::span<const LogField> fields);

/// `"logger":"append","msg":"message","key":"value"`: members without the braces. Bytes that are
/// not UTF-8 become U+FFFD. A field that is named like one of the line's own members gets "field."
/// in front.
std::string json_members(std::string_view logger, std::string_view message,
                         std::span<const LogField> fields);

}  // namespace vouch::observe
