// GET /v1/events (pages of the feed) and GET /v1/feed (follow it)
#include <algorithm>
#include <memory>

#include "event_pages.h"
#include "format/text_codec.h"
#include "handlers.h"
#include "parameters.h"
#include "problem.h"

namespace vouch::http {
namespace {

constexpr std::uint64_t kDefaultLimit = 500;

std::string next_link(const FeedQuery& query, const Cursor& next, std::uint64_t limit) {
  std::string link =
      "</v1/events?after=" + format::cursor_text(next) + "&limit=" + std::to_string(limit);
  const FeedFilter& filter = query.filter;
  if (!filter.category.empty()) link += "&category=" + percent_encode(filter.category);
  if (!filter.type.empty()) link += "&type=" + percent_encode(filter.type);
  if (!filter.stream.empty()) link += "&stream=" + percent_encode(filter.stream);
  return link + ">; rel=\"next\"";
}

Response json_page(const FeedQuery& query, std::uint64_t limit, Context& context) {
  FeedPager pager(context.reader(), query, limit, EventWriter(EventFormat::json, {}));
  std::string body = R"({"events":[)";
  const Status read = pager.read(body, kPageBytes);
  if (!read.ok()) return to_response(storage_problem(read, "reading the feed"));
  body += R"(],"next":")" + format::cursor_text(pager.next()) + R"(","at_end":)" +
          (pager.at_end() ? "true}" : "false}");
  Response response = answer(200, std::string(kJson), std::move(body));
  if (!pager.at_end()) response.with("Link", next_link(query, pager.next(), limit));
  return response;
}

/// A page of at most `limit` events in one piece, so that its Link is known before it is sent.
Response limited_list(const FeedQuery& query, std::uint64_t limit, EventFormat format,
                      Context& context) {
  const bool array = format == EventFormat::cloud_events;
  FeedPager pager(context.reader(), query, limit, EventWriter(format, context.backends.store));
  std::string body = array ? "[" : "";
  const Status read = pager.read(body, kPageBytes);
  if (!read.ok()) return to_response(storage_problem(read, "reading the feed"));
  if (array) body += ']';
  Response response =
      answer(200, std::string(kEventListTypes[static_cast<std::size_t>(format)]), std::move(body));
  if (!pager.at_end()) response.with("Link", next_link(query, pager.next(), limit));
  return response;
}

/// Everything up to what is committed now, in pieces.
Response whole_list(FeedQuery query, EventFormat format, Context& context) {
  auto end = context.reader().feed_end();
  if (!end.ok()) return to_response(storage_problem(end.status(), "asking for the feed's end"));
  query.until = *std::move(end);
  const bool array = format == EventFormat::cloud_events;
  auto pager = std::make_shared<FeedPager>(context.reader(), std::move(query),
                                           std::numeric_limits<std::uint64_t>::max(),
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
  return response;
}

/// Where to begin: Last-Event-ID (of a client that was here before), `after`, or now.
Cursor follow_start(const Request& request, Context& context) {
  const auto last = request.fields.find("Last-Event-ID");
  auto given = query_cursor(request, "after");
  if (last && !last->empty()) {
    given = format::cursor_from_text(*last);
    if (!given) {
      reject(ProblemType::bad_request,
             "the header Last-Event-ID must be a cursor that this API gave out");
    }
  }
  if (given) {
    const auto known = context.reader().reached(*given, *given);
    if (!known.ok()) throw Rejection{storage_problem(known.status(), "checking the cursor")};
  }
  auto end = context.reader().feed_end();
  if (!end.ok()) throw Rejection{storage_problem(end.status(), "asking for the feed's end")};
  if (!given) return *std::move(end);
  // A cursor of another store, or of this one before it was restored from an older copy: followed,
  // it would skip what is appended up to it.
  const auto behind = context.reader().reached(*end, *given);
  if (!behind.ok()) throw Rejection{storage_problem(behind.status(), "checking the cursor")};
  if (!*behind) {
    reject(ProblemType::bad_request,
           "the cursor lies behind the end of this store's feed: it is of another store, or this "
           "one was restored from an older copy; begin at \"start\" or at a cursor of its own");
  }
  return *std::move(given);
}

}  // namespace

Response read_feed(const Request& request, Context& context) {
  const auto format = static_cast<EventFormat>(choose_media_type(request, kEventListTypes));
  FeedQuery query;
  query.filter = query_filter(request);
  query.after = query_cursor(request, "after").value_or(Cursor{});
  const auto limit = query_number(request, "limit", 1, context.options.page);
  Response response;
  if (format == EventFormat::json) {
    response = json_page(
        query, limit.value_or(std::min<std::uint64_t>(kDefaultLimit, context.options.page)),
        context);
  } else if (limit) {
    response = limited_list(query, *limit, format, context);
  } else {
    response = whole_list(std::move(query), format, context);
  }
  response.with("Vary", "Accept");
  return response;
}

Response follow_feed(const Request& request, Context& context) {
  constexpr std::array<std::string_view, 2> kTypes = {kEventStream, kNdjson};
  const std::size_t type = choose_media_type(request, kTypes);
  FollowStart start;
  start.format = type == 0 ? FollowFormat::sse : FollowFormat::ndjson;
  start.filter = query_filter(request);
  start.after = follow_start(request, context);
  Response response;
  response.with("Content-Type", std::string(kTypes.at(type)));
  response.with("Cache-Control", "no-store").with("Vary", "Accept");
  response.follow = std::move(start);
  return response;
}

}  // namespace vouch::http
