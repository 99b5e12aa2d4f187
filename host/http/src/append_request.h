// Reads an append request: events in the three forms that clients send, the expected version, the
// idempotency key. What is wrong is rejected in words that say where. Stateless, any thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "http/http_server.h"
#include "message.h"
#include "vouch/storage.h"

namespace vouch::http {

/// The events of the body, with ids that are all zero where the client gave none.
std::vector<NewEvent> read_events(const Request& request, const HttpOptions& limits, Timestamp now);

/// What `read_events` does last: adds the request's trace context, and rejects events that are too
/// large. `where` names their array.
void complete_events(const Request& request, const HttpOptions& limits, const std::string& where,
                     std::vector<NewEvent>& events);

/// If-Match and If-None-Match.
ExpectedVersion read_expected(const Request& request);

/// Idempotency-Key, with the digest of everything that makes this request itself: content type,
/// ce-* headers, preconditions, body.
/// `stream` is empty for an append of several streams.
std::optional<Idempotency> read_idempotency(const Request& request, const StreamName& stream);

}  // namespace vouch::http
