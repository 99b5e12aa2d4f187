// The router: one table of routes, and the way of a request to its handler. [any-thread]
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "context.h"
#include "message.h"
#include "problem.h"

namespace vouch::http {

/// Where a request goes: a route, or the problem that it has none.
struct Destination {
  Response (*handler)(const Request& request, Context& context) = nullptr;
  std::string_view pattern = "unmatched";  ///< "/v1/streams/{stream}/events"; for metrics
  std::string_view query;                  ///< names of the parameters that it knows, spaced
  std::vector<std::string> captures;
  std::optional<Problem> problem;
};

/// Finds the route of `method` and `path` (as it was sent, without the query).
Destination find_route(std::string_view method, std::string_view path);

/// Runs the handler: whatever goes wrong becomes a problem. Pre: `destination` has no problem.
Response handle(Request& request, const Destination& destination, Context& context);

}  // namespace vouch::http
