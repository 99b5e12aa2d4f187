// The events of a request in this API's own JSON. What is wrong is rejected in words that say
// where. Stateless, any thread.
#pragma once

#include <string>
#include <vector>

#include "format/json_text.h"
#include "http/http_server.h"
#include "vouch/event.h"

namespace vouch::http {

inline constexpr std::size_t kMaxTypeBytes = 255;

/// The body's JSON; its slices point into the body.
format::JsonSlice parse_body(const std::string& body);

/// The elements of an array that must not be empty nor longer than an append may be.
std::vector<format::JsonSlice> event_elements(const format::JsonSlice& array,
                                              const HttpOptions& limits);

/// An event; `where` names its place. Its id is all zero where the client gave none.
NewEvent read_json_event(const format::JsonSlice& object, const std::string& where, Timestamp now);

/// The events of an array, which is named `where`.
std::vector<NewEvent> read_json_events(const format::JsonSlice& array, const std::string& where,
                                       const HttpOptions& limits, Timestamp now);

}  // namespace vouch::http
