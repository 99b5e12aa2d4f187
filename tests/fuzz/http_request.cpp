// Requests off a connection: the first byte says in pieces of which size the rest arrives. Whatever
// comes is a request, a rejection with a problem that is JSON, or the end; the same in pieces as in
// one; and a head that was taken is read as the same when it is written again.
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string>

#include "accept.h"
#include "append_request.h"
#include "format/event_json.h"
#include "format/json_text.h"
#include "fuzz_target.h"
#include "parameters.h"
#include "problem.h"
#include "request_head.h"
#include "request_reader.h"
#include "router.h"

namespace vouch::fuzz {
namespace {

using namespace http;

constexpr std::uint64_t kBodyLimit = 8'192;
constexpr std::size_t kMostPieces = 100;       // so many fit into the socket's buffer
constexpr std::size_t kLargestPiece = 16'384;  // what the channel takes at once

HttpOptions limits() {
  HttpOptions options;
  options.body_bytes = kBodyLimit;
  options.event_bytes = 1'024;
  options.events_per_append = 8;
  options.page = 100;
  return options;
}

/// Two ends of a connection that keeps the borders of what is sent.
class Wire {
 public:
  Wire() {
    demand(::socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends_.data()) == 0, "there are sockets");
  }
  ~Wire() {
    ::close(ends_[0]);
    ::close(ends_[1]);
  }
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  void send(std::string_view bytes, std::size_t piece) const {
    while (!bytes.empty()) {
      const std::string_view part = bytes.substr(0, piece);
      demand(::send(ends_[1], part.data(), part.size(), MSG_DONTWAIT) ==
                 static_cast<ssize_t>(part.size()),
             "the socket takes a piece");
      bytes.remove_prefix(part.size());
    }
    ::shutdown(ends_[1], SHUT_WR);
  }

  [[nodiscard]] int reading_end() const { return ends_[0]; }

 private:
  std::array<int, 2> ends_{};
};

std::string status_of(const Problem& problem) {
  const Response response = to_response(problem);
  demand(response.status >= 400 && response.status < 600, "a problem has its status");
  demand(format::parse_json(response.body).ok(), "a problem is JSON", response.body);
  return std::to_string(response.status) + ' ' + problem.detail + '\n';
}

/// What `read` says, or what it rejects.
template <typename Read>
std::string outcome(Read&& read) {
  try {
    return read();
  } catch (const Rejection& rejection) {
    return status_of(rejection.problem);
  }
}

void check_head(const Request& request) {
  std::string head = request.method + ' ' + request.path;
  if (!request.raw_query.empty()) head += '?' + request.raw_query;
  head += request.minor_version == 1 ? " HTTP/1.1\r\n" : " HTTP/1.0\r\n";
  for (const auto& [name, value] : request.fields.all()) head += name + ": " + value + "\r\n";
  head += "\r\n";
  try {
    const Request again = parse_head(head);
    demand(again.method == request.method && again.path == request.path &&
               again.raw_query == request.raw_query && again.minor_version == request.minor_version,
           "a request line that was taken is the same when it is written again", head);
    demand(again.fields.all() == request.fields.all(), "so are the fields", head);
  } catch (const Rejection&) {
    demand(false, "a head that was taken is taken again", head);
  }
}

std::string read_all_events(const Request& request, const HttpOptions& options) {
  std::string out;
  for (const NewEvent& event : read_events(request, options, Timestamp{1})) {
    demand(!event.type.empty() && event.type.size() <= 255, "an event has a type", event.type);
    demand(event.data.size() + event.metadata.size() <= options.event_bytes, "limits hold");
    format::append_event_json(out, {event.id, "a-1", Version{1}, event.type, event.time,
                                    event.content_type, event.data, event.metadata});
    demand(format::parse_json(out).ok(), "an event that was taken is shown as JSON", out);
    out.clear();
  }
  return "events\n";
}

/// Everything that handlers read out of a request.
void read_parts(Request& request, const HttpOptions& options) {
  const StreamName stream = StreamName::unchecked("a-1");
  outcome([&] { return read_all_events(request, options); });
  outcome([&] { return std::to_string(static_cast<int>(read_expected(request).kind)); });
  outcome([&] { return std::string(read_idempotency(request, stream) ? "key" : ""); });
  constexpr std::array<std::string_view, 3> kOffered = {kJson, kNdjson, kEventStream};
  outcome([&] { return std::to_string(choose_media_type(request, kOffered)); });
  outcome([&] {
    auto query = Query::parse(request.raw_query);
    if (!query.ok()) reject(ProblemType::bad_request, query.status().message());
    request.query = *std::move(query);
    static_cast<void>(query_cursor(request, "after"));
    static_cast<void>(query_number(request, "limit", 1, options.page));
    static_cast<void>(query_filter(request));
    const auto wait = request.query.find("wait");
    if (wait) static_cast<void>(parse_wait(*wait));
    return std::string();
  });
  const auto tags = request.fields.joined("If-None-Match");
  if (tags) static_cast<void>(matches_etag(*tags, "\"7\""));
}

/// Everything that a connection would see, as text.
std::string transcript(std::string_view bytes, std::size_t piece) {
  static const HttpOptions options = limits();
  const Wire wire;
  wire.send(bytes, piece);
  Channel channel(wire.reading_end());
  RequestReader reader(channel);
  // Never waited for: everything is there, and then the end.
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::hours(1);
  std::string seen;
  while (reader.wait_for_request(deadline)) {
    bool goes_on = false;
    seen += outcome([&]() -> std::string {
      auto request = reader.read_head(deadline);
      if (!request) return "gone\n";
      check_head(*request);
      const Destination destination = find_route(request->method, request->path);
      const Framing framing = read_framing(*request);
      auto body = reader.read_body(framing, kBodyLimit, deadline);
      if (!body) return "gone\n";
      demand(body->size() <= kBodyLimit, "a body is within its limit");
      request->body = *std::move(body);
      read_parts(*request, options);
      goes_on = framing.keep_alive;
      return request->method + ' ' + request->path + ' ' + std::string(destination.pattern) + ' ' +
             request->body + '\n';
    });
    if (!goes_on) break;
  }
  return seen;
}

}  // namespace
}  // namespace vouch::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace vouch::fuzz;
  std::string_view bytes = text_of(data, size);
  if (bytes.empty() || bytes.size() > kMostPieces * kLargestPiece / 16) return 0;
  const std::size_t wanted = 1 + static_cast<std::size_t>(data[0]) * 4;
  bytes.remove_prefix(1);
  const std::size_t piece = std::max(wanted, bytes.size() / kMostPieces + 1);
  const std::string whole = transcript(bytes, kLargestPiece);
  demand(transcript(bytes, piece) == whole, "pieces are read as the whole is", whole);
  return 0;
}
