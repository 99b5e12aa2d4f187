// Media types: what a client sends, and what it wants back (RFC 9110 section 12.5.1). Stateless.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "message.h"

namespace vouch::http {

inline constexpr std::string_view kJson = "application/json";
inline constexpr std::string_view kNdjson = "application/x-ndjson";
inline constexpr std::string_view kEventStream = "text/event-stream";

struct MediaType {
  std::string name;     ///< "application/json", lower case
  std::string charset;  ///< lower case; empty when not given
};
/// Of a Content-Type; nothing when malformed.
std::optional<MediaType> parse_media_type(std::string_view text);

/// Index of the offered type that the request prefers; of equals the earlier. Without Accept the
/// first. Rejects with not_acceptable when it wants none of them, bad_request for a malformed list.
std::size_t choose_media_type(const Request& request, std::span<const std::string_view> offered);

}  // namespace vouch::http
