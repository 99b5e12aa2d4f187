#include "router.h"

#include <algorithm>
#include <exception>

#include "handlers.h"

namespace vouch::http {
namespace {

struct Route {
  std::string_view method;
  std::string_view pattern;
  std::string_view query;
  Response (*handler)(const Request&, Context&);
  bool head = true;  ///< of a GET: HEAD gives the same without the body
};

constexpr Route kRoutes[] = {
    {"POST", "/v1/streams/{stream}/events", "ack wait", append_events},
    {"POST", "/v1/append", "ack wait", append_streams},
    {"HEAD", "/v1/streams/{stream}/events", "from limit direction", head_stream},
    {"GET", "/v1/streams/{stream}/events", "from limit direction", read_stream},
    {"GET", "/v1/streams/{stream}/state", "", read_state},
    {"GET", "/v1/streams/{stream}/snapshot", "", get_snapshot},
    {"PUT", "/v1/streams/{stream}/snapshot", "", put_snapshot},
    {"DELETE", "/v1/streams/{stream}/snapshot", "", delete_snapshot},
    {"POST", "/v1/streams/{stream}:erase", "", erase_stream},
    {"GET", "/v1/streams/{stream}/erasures", "", list_erasures},
    {"GET", "/v1/streams", "category after limit", list_streams},
    {"GET", "/v1/events", "after limit category type stream", read_feed},
    {"GET", "/v1/events/{id}", "", read_event},
    {"GET", "/v1/feed", "after category type stream", follow_feed, false},
    {"GET", "/v1/transactions/{tx}", "", read_transaction},
    {"GET", "/v1/delivery", "", read_delivery},
    {"GET", "/v1/delivery/dead-letters", "after limit", list_dead_letters},
    {"POST", "/v1/delivery/dead-letters/{id}:retry", "", retry_dead_letter},
    {"POST", "/v1/delivery/dead-letters/{id}:discard", "", discard_dead_letter},
    {"POST", "/v1/delivery:replay", "", replay_history},
    {"GET", "/v1/info", "", show_info},
    {"GET", "/livez", "", live_probe},
    {"GET", "/readyz", "verbose", ready_probe},
    {"GET", "/metrics", "", show_metrics},
    {"GET", "/openapi.yaml", "", show_openapi},
};

std::string_view take_segment(std::string_view& path) {
  path.remove_prefix(1);
  const std::size_t end = std::min(path.find('/'), path.size());
  const std::string_view segment = path.substr(0, end);
  path.remove_prefix(end);
  return segment;
}

/// The variable segments of `path`, still encoded, if it fits `pattern`.
std::optional<std::vector<std::string_view>> match(std::string_view pattern,
                                                   std::string_view path) {
  std::vector<std::string_view> captures;
  while (!pattern.empty() && !path.empty()) {
    if (path[0] != '/') return std::nullopt;
    const std::string_view wanted = take_segment(pattern);
    const std::string_view given = take_segment(path);
    if (!wanted.empty() && wanted[0] == '{') {
      // A custom method stands behind the variable: "{id}:retry".
      const std::string_view suffix = wanted.substr(wanted.find('}') + 1);
      if (given.size() <= suffix.size() || !given.ends_with(suffix)) return std::nullopt;
      captures.push_back(given.substr(0, given.size() - suffix.size()));
    } else if (wanted != given) {
      return std::nullopt;
    }
  }
  if (!pattern.empty() || !path.empty()) return std::nullopt;
  return captures;
}

bool serves(const Route& route, std::string_view method) {
  return route.method == method || (method == "HEAD" && route.method == "GET" && route.head);
}

void add_allowed(std::string& allowed, std::string_view method) {
  if ((", " + allowed + ",").find(", " + std::string(method) + ",") != std::string::npos) return;
  if (!allowed.empty()) allowed += ", ";
  allowed += method;
}

bool knows(std::string_view names, std::string_view name) {
  while (!names.empty()) {
    const std::size_t end = std::min(names.find(' '), names.size());
    if (names.substr(0, end) == name) return true;
    names.remove_prefix(std::min(end + 1, names.size()));
  }
  return false;
}

void check_query(const Query& query, std::string_view names) {
  for (const auto& [name, value] : query.all()) {
    if (knows(names, name)) continue;
    reject(ProblemType::bad_request,
           "the query parameter \"" + name + "\" is unknown" +
               (names.empty() ? "; there are none here" : "; known here: " + std::string(names)));
  }
}

}  // namespace

Destination find_route(std::string_view method, std::string_view path) {
  Destination destination;
  std::string allowed;
  for (const Route& route : kRoutes) {
    const auto captures = match(route.pattern, path);
    if (!captures) continue;
    destination.pattern = route.pattern;
    add_allowed(allowed, route.method);
    if (route.method == "GET" && route.head) add_allowed(allowed, "HEAD");
    if (!serves(route, method)) continue;
    for (const std::string_view capture : *captures) {
      auto decoded = percent_decode(capture, false);
      if (!decoded) {
        destination.problem =
            Problem{ProblemType::bad_request, "the path has a malformed %-escape", {}, {}};
        return destination;
      }
      destination.captures.push_back(*std::move(decoded));
    }
    destination.handler = route.handler;
    destination.query = route.query;
    return destination;
  }
  if (allowed.empty()) {
    destination.problem = Problem{ProblemType::not_found, "there is no such path", {}, {}};
  } else {
    destination.problem = Problem{
        ProblemType::method_not_allowed, "this path takes " + allowed, {}, {{"Allow", allowed}}};
  }
  return destination;
}

Response handle(Request& request, const Destination& destination, Context& context) {
  try {
    auto query = Query::parse(request.raw_query);
    if (!query.ok()) reject(ProblemType::bad_request, query.status().message());
    request.query = *std::move(query);
    check_query(request.query, destination.query);
    request.captures = destination.captures;
    return destination.handler(request, context);
  } catch (const Rejection& rejection) {
    return to_response(rejection.problem);
  } catch (const std::exception& error) {
    context.services.logger().error("a request handler failed",
                                    {{"route", destination.pattern}, {"error", error.what()}});
    return to_response({ProblemType::internal, "the request failed inside the server", {}, {}});
  }
}

}  // namespace vouch::http
