// Reads parameters of paths and queries; what is wrong is rejected with bad_request in words.
// Stateless.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "message.h"
#include "vouch/types.h"

namespace vouch::http {

/// Decimal digits only, within 64 bits.
std::optional<std::uint64_t> parse_number(std::string_view text);

/// "500ms", "5s", "1m".
std::optional<std::chrono::milliseconds> parse_wait(std::string_view text);

/// The stream name in the path's first variable segment.
StreamName path_stream(const Request& request);

/// `name` as a number from `least` to `most`, or nothing when it is not given.
std::optional<std::uint64_t> query_number(const Request& request, std::string_view name,
                                          std::uint64_t least, std::uint64_t most);

/// `name` as a cursor or "start", or nothing when it is not given.
std::optional<Cursor> query_cursor(const Request& request, std::string_view name);

/// Whether `text` can be a category: the part of a stream name before its first "-".
bool is_category(std::string_view text);

/// category, type and stream.
FeedFilter query_filter(const Request& request);

/// Rejects a body that is not declared as JSON; `what` begins the words: "a snapshot comes".
void demand_json(const Request& request, std::string_view what);

/// Whether the field's list of entity tags has `etag` (or is "*"), by weak comparison.
bool matches_etag(std::string_view list, std::string_view etag);

/// The entity tag of a stream at `version`: "7", with the quotes.
std::string etag(Version version);

}  // namespace vouch::http
