// POST /v1/streams/{stream}/events and POST /v1/append
#include "append_answer.h"
#include "append_request.h"
#include "append_streams_request.h"
#include "handlers.h"
#include "parameters.h"

namespace vouch::http {
namespace {

/// The members that tell what became of one write.
std::string write_json(const StreamName& stream, const VersionRange& range,
                       std::span<const EventId> ids) {
  return R"("stream":")" + stream.str() + R"(","first_version":)" +
         std::to_string(range.first.value) + R"(,"last_version":)" +
         std::to_string(range.last.value) + R"(,"ids":)" + ids_json(ids);
}

}  // namespace

Response append_events(const Request& request, Context& context) {
  const StreamName stream = path_stream(request);
  const AckWish wish = read_ack(request);
  const Precondition demand{stream, read_expected(request)};
  Write write;
  write.stream = stream;
  write.expected = demand.expected;
  write.events = read_events(request, context.options, context.services.clock().now());
  Append append;
  append.writes.push_back(std::move(write));
  append.idempotency = read_idempotency(request, stream);

  const Stored stored = append_and_wait(std::move(append), {&demand, 1}, wish, context);
  const VersionRange range = stored.answer.ranges.at(0);
  Response response = stored_response(stored, wish, write_json(stream, range, stored.answer.ids));
  response.with("ETag", etag(range.last));
  response.with("Location", "/v1/streams/" + stream.str() +
                                "/events?from=" + std::to_string(range.first.value));
  return response;
}

Response append_streams(const Request& request, Context& context) {
  const AckWish wish = read_ack(request);
  Append append = read_append(request, context.options, context.services.clock().now());
  append.idempotency = read_idempotency(request, {});
  std::vector<Precondition> demands;
  for (const Write& write : append.writes) demands.push_back({write.stream, write.expected});
  const std::size_t writes = demands.size();
  demands.insert(demands.end(), append.preconditions.begin(), append.preconditions.end());

  const Stored stored = append_and_wait(std::move(append), demands, wish, context);
  std::string head = R"("writes":[)";
  std::span<const EventId> ids = stored.answer.ids;
  for (std::size_t i = 0; i < writes; ++i) {
    const VersionRange range = stored.answer.ranges.at(i);
    const std::size_t events =
        std::min<std::size_t>(ids.size(), range.last.value - range.first.value + 1);
    if (i > 0) head += ',';
    head += '{' + write_json(demands[i].stream, range, ids.first(events)) + '}';
    ids = ids.subspan(events);
  }
  return stored_response(stored, wish, head + ']');
}

}  // namespace vouch::http
