// GET and HEAD /v1/streams/{stream}/events
#include <memory>

#include "event_pages.h"
#include "format/json_text.h"
#include "handlers.h"
#include "parameters.h"
#include "problem.h"
#include "stream_head.h"

namespace vouch::http {
namespace {

constexpr std::uint64_t kDefaultLimit = 500;

/// What the query asks for, and what of it was given.
struct StreamWish {
  StreamPager::Range range;
  bool limited = false;
};

StreamWish read_wish(const Request& request, StreamName stream, Context& context) {
  StreamWish wish;
  wish.range.stream = std::move(stream);
  const auto direction = request.query.find("direction");
  if (direction && *direction != "forward" && *direction != "backward") {
    reject(ProblemType::bad_request,
           "the query parameter \"direction\" must be \"forward\" or \"backward\"");
  }
  if (direction == "backward") wish.range.direction = Direction::backward;
  const auto from = query_number(request, "from", 1, std::numeric_limits<std::int64_t>::max());
  wish.range.from = Version{from.value_or(0)};
  const auto limit = query_number(request, "limit", 1, context.options.page);
  wish.limited = limit.has_value();
  if (limit) wish.range.limit = *limit;
  return wish;
}

/// Sets the head, and where to begin.
void set_head(StreamPager::Range& range, Version head) {
  range.head = head;
  if (range.direction == Direction::forward) {
    if (range.from.value == 0) range.from = Version{1};
  } else if (range.from.value == 0 || range.from > head) {
    range.from = head;
  }
}

std::string next_link(const StreamPager::Range& range, Version from, std::uint64_t limit) {
  std::string link = "</v1/streams/" + range.stream.str() +
                     "/events?from=" + std::to_string(from.value) +
                     "&limit=" + std::to_string(limit);
  if (range.direction == Direction::backward) link += "&direction=backward";
  return link + ">; rel=\"next\"";
}

/// Versions are dense, so where a limited answer ends is known before it is read.
std::optional<Version> version_behind(const StreamPager::Range& range, std::uint64_t limit) {
  const std::uint64_t from = range.from.value;
  if (range.direction == Direction::backward) {
    return from > limit ? std::optional(Version{from - limit}) : std::nullopt;
  }
  const bool more = from <= range.head.value && range.head.value - from >= limit;
  return more ? std::optional(Version{from + limit}) : std::nullopt;
}

Response json_page(const StreamPager::Range& range, std::uint64_t limit, Context& context) {
  StreamPager pager(context.reader(), range, EventWriter(EventFormat::json, {}));
  std::string body = R"({"stream":")" + range.stream.str() + R"(","version":)" +
                     std::to_string(range.head.value) + R"(,"events":[)";
  const Status read = pager.read(body, kPageBytes);
  if (!read.ok()) return to_response(storage_problem(read, "reading the stream"));
  body += ']';
  const auto next = pager.next();
  if (next) body += R"(,"next":)" + std::to_string(next->value);
  body += '}';
  Response response = answer(200, std::string(kJson), std::move(body));
  if (next) response.with("Link", next_link(range, *next, limit));
  return response;
}

Response streamed(const StreamWish& wish, EventFormat format, Context& context) {
  const bool array = format == EventFormat::cloud_events;
  auto pager = std::make_shared<StreamPager>(context.reader(), wish.range,
                                             EventWriter(format, context.backends.store));
  Response response =
      answer(200, std::string(kEventListTypes[static_cast<std::size_t>(format)]), array ? "[" : "");
  response.source = [pager, array]() -> Result<BodyPart> {
    BodyPart part;
    const Status read = pager->read(part.bytes, kPieceBytes);
    if (!read.ok()) return read;
    part.last = pager->done();
    if (part.last && array) part.bytes += ']';
    return part;
  };
  if (wish.limited) {
    const auto next = version_behind(wish.range, wish.range.limit);
    if (next) response.with("Link", next_link(wish.range, *next, wish.range.limit));
  }
  return response;
}

Response not_modified(Version head) {
  Response response;
  response.status = 304;
  return std::move(response.with("ETag", etag(head)));
}

bool unchanged(const Request& request, Version head) {
  const auto list = request.fields.joined("If-None-Match");
  return list && matches_etag(*list, etag(head));
}

}  // namespace

Response read_stream(const Request& request, Context& context) {
  const auto format = static_cast<EventFormat>(choose_media_type(request, kEventListTypes));
  StreamWish wish = read_wish(request, path_stream(request), context);
  const Version head = existing_head(wish.range.stream, context);
  if (unchanged(request, head)) return not_modified(head);
  set_head(wish.range, head);
  Response response;
  if (format == EventFormat::json) {
    if (!wish.limited) {
      wish.range.limit = std::min<std::uint64_t>(kDefaultLimit, context.options.page);
    }
    response = json_page(wish.range, wish.range.limit, context);
  } else {
    response = streamed(wish, format, context);
  }
  if (response.status == 200) response.with("ETag", etag(head)).with("Vary", "Accept");
  return response;
}

Response head_stream(const Request& request, Context& context) {
  const StreamWish wish = read_wish(request, path_stream(request), context);
  const Version head = existing_head(wish.range.stream, context);
  if (unchanged(request, head)) return not_modified(head);
  Response response;
  return std::move(response.with("ETag", etag(head)));
}

}  // namespace vouch::http
