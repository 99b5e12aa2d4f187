// Problem details (RFC 9457): the one form in which this API reports an error. Plain values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "message.h"

namespace vouch::http {

enum class ProblemType : std::uint8_t {
  bad_request,
  not_found,
  method_not_allowed,
  not_acceptable,
  request_timeout,
  idempotency_in_flight,
  conflict,
  wrong_expected_version,
  too_large,
  unsupported_media_type,
  unprocessable,
  overloaded,
  storage_unavailable,
  broker_unavailable,
  commit_unknown,
  shutting_down,
  internal,
  not_implemented,
};

struct Problem {
  ProblemType type = ProblemType::internal;
  std::string detail;
  /// Further members: name and JSON text.
  std::vector<std::pair<std::string, std::string>> members;
  /// Further header fields. `Retry-After` comes by itself where waiting helps.
  std::vector<std::pair<std::string, std::string>> fields;
  int status = 0;  ///< 0: the type's own
};

Response to_response(const Problem& problem);

/// The problem that a failed call of the storage is. `doing` is put in front of the reason.
Problem storage_problem(const Status& status, std::string_view doing);

/// Thrown by what reads requests, caught by the router; never leaves this room.
struct Rejection {
  Problem problem;
};
[[noreturn]] void reject(ProblemType type, std::string detail);
/// `reject` with bad_request.
[[noreturn]] void bad(std::string detail);

/// The type's name, for example "bad-request".
std::string_view slug(ProblemType type);

}  // namespace vouch::http
