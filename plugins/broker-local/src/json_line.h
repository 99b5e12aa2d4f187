// A message as one line of JSON, for the tap. Pure functions, any thread.
#pragma once

#include <string>
#include <string_view>

#include "vouch/broker.h"

namespace vouch::broker_local {

/// Appends {"topic","partition","key","headers":{…},"payload"} and a line feed to `out`. A payload
/// that is not UTF-8 is written as "payload_base64" instead. In the other texts, bytes that are not
/// UTF-8 are replaced by U+FFFD.
void append_json_line(std::string& out, const Message& message, Partition partition);

/// Length of the valid UTF-8 sequence at the beginning of `text`, 0 if there is none (RFC 3629:
/// no overlong forms, no surrogates, nothing above U+10FFFF).
std::size_t utf8_sequence(std::string_view text);

}  // namespace vouch::broker_local
