// Refusal: what an error reply of Redis means for the message, the connection and people. Its first
// word is its kind. Pure functions, any thread.
#pragma once

#include <string_view>

#include "vouch/status.h"

namespace broker_redis {

enum class Consequence {
  rejected,   ///< this message is refused for good, others may be taken
  passing,    ///< refused now; a repeat may work (no memory, no replicas, a script that runs)
  reconnect,  ///< this server or session is the wrong one: another connection may be better
};

struct Refusal {
  Consequence consequence = Consequence::passing;
  vouch::Status status;
};

/// `doing` is for people: "add to vouch:events.order:0".
Refusal refusal_of(std::string_view error, std::string_view doing);

}  // namespace broker_redis
