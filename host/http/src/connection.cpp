#include "connection.h"

#include <exception>

#include "vouch/thread_name.h"

namespace vouch::http {
namespace {

/// How long a client may take to read the answer before its connection is closed over it.
constexpr std::chrono::milliseconds kGentleClose{1'000};

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Notes why an answer broke off in the middle; the client only sees that it did.
BodySource logged(BodySource source, std::string_view route, Logger& logger) {
  return [source = std::move(source), route, &logger]() -> Result<BodyPart> {
    auto part = source();
    if (!part.ok()) {
      logger.warning("an answer can't be made",
                     {{"route", route}, {"reason", part.status().message()}});
    }
    return part;
  };
}

}  // namespace

Connection::Connection(const Poco::Net::StreamSocket& socket, ConnectionShare& share)
    : TCPServerConnection(socket),
      share_(share),
      channel_(socket.impl()->sockfd()),
      reader_(channel_) {
  share_.registry.add(channel_.descriptor());
}

Connection::~Connection() {
  share_.registry.remove(channel_.descriptor());
}

void Connection::run() {
  name_this_thread("http");
  const HttpOptions& options = share_.context.options;
  try {
    if (share_.registry.count() > options.max_connections) {
      Problem problem{ProblemType::overloaded, "too many connections", {}, {}};
      problem.status = 503;
      refuse(problem, "unmatched", "other");
      return;
    }
    auto patience = options.request_timeout;
    while (serve_one(Clock::now() + patience)) patience = options.keep_alive_timeout;
  } catch (const std::exception& error) {
    share_.context.services.logger().error("a connection failed", {{"error", error.what()}});
  }
}

bool Connection::serve_one(TimePoint idle_deadline) {
  if (!share_.registry.set_idle(channel_.descriptor())) return false;
  const bool begun = reader_.wait_for_request(idle_deadline);
  share_.registry.set_busy(channel_.descriptor());
  if (!begun) return false;
  const TimePoint deadline = Clock::now() + share_.context.options.request_timeout;
  std::optional<Request> request;
  try {
    request = reader_.read_head(deadline);
  } catch (const Rejection& rejection) {
    return refuse(rejection.problem, "unmatched", "other");
  }
  if (!request) return false;
  return answer_request(*request, deadline);
}

bool Connection::answer_request(Request& request, TimePoint deadline) {
  const Destination destination = find_route(request.method, request.path);
  Framing framing;
  try {
    framing = read_framing(request);
    if (share_.context.stopping) {
      reject(ProblemType::shutting_down, "the server is stopping: ask another host, or later");
    }
    if (destination.problem && framing.has_body()) throw Rejection{*destination.problem};
    if (!take_body(request, framing, deadline)) return false;
  } catch (const Rejection& rejection) {
    return refuse(rejection.problem, destination.pattern, request.method);
  }
  const TimePoint started = Clock::now();
  Response response = destination.problem ? to_response(*destination.problem)
                                          : handle(request, destination, share_.context);
  return send(request, destination, std::move(response), framing.keep_alive, started);
}

bool Connection::take_body(Request& request, const Framing& framing, TimePoint deadline) {
  if (!framing.has_body()) return true;
  const HttpOptions& options = share_.context.options;
  const bool asks = framing.expect_continue && !reader_.has_bytes();
  if (asks && framing.length <= options.body_bytes) {
    if (channel_.write("HTTP/1.1 100 Continue\r\n\r\n", options.request_timeout) !=
        Channel::Outcome::ok) {
      return false;
    }
  }
  auto body = reader_.read_body(framing, options.body_bytes, deadline);
  if (!body) return false;
  request.body = *std::move(body);
  return true;
}

bool Connection::send(const Request& request, const Destination& destination, Response response,
                      bool keep_alive, TimePoint started) {
  WireForm form;
  form.head_only = request.method == "HEAD";
  form.chunks = request.minor_version == 1;
  std::optional<BodyPart> first;
  if (response.source && !form.head_only) {
    response.source =
        logged(std::move(response.source), destination.pattern, share_.context.services.logger());
    auto part = response.source();
    if (part.ok()) {
      first = *std::move(part);
    } else {
      response = to_response(storage_problem(part.status(), "reading events"));
    }
  }
  if (response.follow && !share_.hub.reserve()) {
    response = share_.context.stopping
                   ? to_response({ProblemType::shutting_down, "the server is stopping", {}, {}})
                   : to_response({ProblemType::overloaded, "too many followers", {}, {}});
  }
  const int status = response.status;
  bool goes_on = false;
  if (response.follow) {
    goes_on = hand_over(request, std::move(response));
  } else {
    form.keep_alive = keep_alive && !share_.context.stopping;
    goes_on = write_response(channel_, response, first ? &*first : nullptr, form,
                             share_.context.options.request_timeout);
  }
  share_.metrics.observe(destination.pattern, request.method, status, seconds_since(started));
  return goes_on;
}

bool Connection::hand_over(const Request& request, Response response) {
  const bool chunks = request.minor_version == 1;
  const std::string head =
      head_text(response, chunks ? "Transfer-Encoding: chunked" : std::string(), false);
  Poco::Net::StreamSocket copy = socket();
  // A peer that vanished without a word is found by the system, not by a full buffer.
  copy.setKeepAlive(true);
  share_.hub.add(copy, *std::move(response.follow), head, chunks);
  return false;
}

bool Connection::refuse(const Problem& problem, std::string_view route, std::string_view method) {
  const Response response = to_response(problem);
  WireForm form;
  form.head_only = method == "HEAD";
  form.keep_alive = false;
  share_.metrics.observe(route, method, response.status, 0);
  if (channel_.write(
          head_text(response, "Content-Length: " + std::to_string(response.body.size()), false) +
              (form.head_only ? std::string() : response.body),
          share_.context.options.request_timeout) == Channel::Outcome::ok) {
    channel_.close_gently(Clock::now() + kGentleClose);
  }
  return false;
}

}  // namespace vouch::http
