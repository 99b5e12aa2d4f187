// Reads the body of POST /v1/append: writes to several streams and what they must be. What is wrong
// is rejected in words that say where. Stateless, any thread.
#pragma once

#include "http/http_server.h"
#include "message.h"
#include "vouch/append.h"

namespace vouch::http {

/// Without the idempotency key. Event ids are all zero where the client gave none.
Append read_append(const Request& request, const HttpOptions& limits, Timestamp now);

}  // namespace vouch::http
