// What this host is and what its pair of backends guarantees, for GET /v1/info, the log and
// `vouch check --connect`. Stateless.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "backends.h"

namespace vouch::app {

/// The guarantees in words, one sentence or two each.
std::vector<std::string> guarantees(const config::Config& config, Backends& backends);

/// What of the set-up is allowed but probably not meant, in words.
std::vector<std::string> doubts(const config::Config& config, Backends& backends);

/// Bytes of the largest event that is let in: limits.event_bytes, or less when an outbound broker
/// could not carry the event's message. Pre: the backends are open.
std::uint64_t event_limit(const config::Config& config, Backends& backends);

/// The JSON of GET /v1/info. Pre: the backends are open.
std::string info_json(const config::Config& config, Backends& backends);

}  // namespace vouch::app
