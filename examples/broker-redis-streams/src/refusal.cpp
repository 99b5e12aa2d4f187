#include "refusal.h"

#include <iterator>
#include <string>

namespace broker_redis {

using vouch::Status;
using vouch::StatusCode;

namespace {

struct Kind {
  std::string_view word;  ///< that the error begins with
  Consequence consequence;
  StatusCode code;
  std::string_view help;
};

constexpr Kind kKinds[] = {
    {"NOPERM", Consequence::rejected, StatusCode::permission_denied,
     "the user lacks a right: see ACL SETUSER"},
    {"WRONGTYPE", Consequence::rejected, StatusCode::failed_precondition,
     "the key holds something else than a stream: remove it, or choose another prefix"},
    {"NOAUTH", Consequence::reconnect, StatusCode::unauthenticated,
     "Redis wants a password: set 'password'"},
    {"WRONGPASS", Consequence::reconnect, StatusCode::unauthenticated,
     "Redis does not accept 'user' and 'password'"},
    {"DENIED", Consequence::reconnect, StatusCode::permission_denied,
     "Redis is in protected mode: give it a password or bind it to an address"},
    {"READONLY", Consequence::reconnect, StatusCode::unavailable,
     "this Redis is a replica: name the primary in 'addresses'"},
    {"MOVED", Consequence::reconnect, StatusCode::failed_precondition,
     "this Redis is a node of a cluster, which this plugin does not support"},
    {"LOADING", Consequence::reconnect, StatusCode::unavailable, "Redis still reads its data"},
    {"MASTERDOWN", Consequence::reconnect, StatusCode::unavailable, "the replica lost its primary"},
    {"OOM", Consequence::passing, StatusCode::unavailable,
     "Redis is at maxmemory: give it more, or let streams be trimmed (max_length)"},
    {"MISCONF", Consequence::passing, StatusCode::unavailable,
     "Redis can't write its data to the disk and refuses changes: see its log"},
    {"NOREPLICAS", Consequence::passing, StatusCode::unavailable,
     "fewer replicas are in sync than min-replicas-to-write demands"},
    {"BUSY", Consequence::passing, StatusCode::unavailable, "a script blocks Redis"},
    {"CLUSTERDOWN", Consequence::passing, StatusCode::unavailable, "the cluster is down"},
};

/// Errors about sizes have no word of their own.
constexpr std::string_view kTooLarge[] = {"ERR string exceeds maximum allowed size",
                                          "ERR Elements are too large",
                                          "ERR Protocol error: invalid bulk length"};

constexpr std::string_view kAborted = "EXECABORT Transaction discarded because of: ";

}  // namespace

Refusal refusal_of(std::string_view error, std::string_view doing) {
  if (error.starts_with(kAborted)) error.remove_prefix(kAborted.size());
  const std::string context = "can't " + std::string(doing) + ": ";
  for (const std::string_view text : kTooLarge) {
    if (error.starts_with(text)) {
      return {Consequence::rejected,
              Status(StatusCode::too_large,
                     context + "it is larger than Redis takes (proto-max-bulk-len)")};
    }
  }
  const std::string_view word = error.substr(0, error.find(' '));
  for (const Kind& kind : kKinds) {
    if (word != kind.word) continue;
    return {kind.consequence,
            Status(kind.code, context + std::string(kind.help) + " (" + std::string(error) + ")")};
  }
  return {Consequence::passing,
          Status(StatusCode::unavailable, context + "Redis says " + std::string(error))};
}

}  // namespace broker_redis
