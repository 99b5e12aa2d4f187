#include "reader.h"

#include <algorithm>
#include <limits>

#include "event_rows.h"

namespace vouch::postgres {
namespace {

constexpr Sql kForward{"stream_forward", "SELECT " VOUCH_EVENT_COLUMNS
                                         " FROM events e WHERE e.stream = $1 AND e.version >= $2 "
                                         "ORDER BY e.version LIMIT $3"};
constexpr Sql kBackward{"stream_backward", "SELECT " VOUCH_EVENT_COLUMNS
                                           " FROM events e WHERE e.stream = $1 AND e.version <= $2 "
                                           "ORDER BY e.version DESC LIMIT $3"};

constexpr Sql kHeads{"heads_in_order",
                     "SELECT coalesce((SELECT e.version FROM events e WHERE e.stream = s.stream "
                     "ORDER BY e.version DESC LIMIT 1), 0) "
                     "FROM unnest($1) WITH ORDINALITY AS s(stream, n) ORDER BY n"};

constexpr Sql kEvent{"event", "SELECT " VOUCH_EVENT_COLUMNS " FROM events e WHERE e.id = $1"};

// Jumps from each stream to the next one by the key, however many events lie between.
constexpr Sql kStreams{
    "streams",
    "WITH RECURSIVE s(stream) AS ("
    "(SELECT stream FROM events WHERE stream > $1 AND stream >= $2 AND ($3 = '' OR stream < $3) "
    "ORDER BY stream LIMIT 1) UNION ALL "
    "SELECT (SELECT e.stream FROM events e WHERE e.stream > s.stream AND ($3 = '' OR e.stream < "
    "$3) "
    "ORDER BY e.stream LIMIT 1) FROM s WHERE s.stream IS NOT NULL) "
    "SELECT s.stream, (SELECT e.version FROM events e WHERE e.stream = s.stream "
    "ORDER BY e.version DESC LIMIT 1) FROM s WHERE s.stream IS NOT NULL LIMIT $4"};

}  // namespace

Status PostgresReader::stream(const StreamName& stream, Version from, Direction direction,
                              std::uint32_t limit, EventSink& sink) {
  return backend_.run("reading a stream", [&]() -> Status {
    const bool forward = direction == Direction::forward;
    constexpr auto kEnd = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    std::uint64_t next = from.value;
    if (next == 0) next = forward ? 1 : kEnd;
    next = std::min(next, kEnd);
    PageSize page;
    for (std::uint64_t left = limit; left > 0;) {
      const std::uint64_t wanted = std::min<std::uint64_t>(left, page.rows());
      const Rows rows = backend_.sessions.read([&](Session& session) {
        return session.run(forward ? kForward : kBackward,
                           Parameters().text(stream.view()).number(next).number(wanted));
      });
      std::uint64_t bytes = 0;
      for (int row = 0; row < rows.size(); ++row) {
        const EventView event = event_view(rows, row);
        bytes += bytes_of(event);
        if (!sink.event(event)) return {};
        next = forward ? event.version.value + 1 : event.version.value - 1;
      }
      const auto seen = static_cast<std::uint64_t>(rows.size());
      if (seen < wanted || next == 0) return {};
      left -= seen;
      page.saw(seen, bytes);
    }
    return {};
  });
}

Result<std::vector<Version>> PostgresReader::heads(std::span<const StreamName> streams) {
  return backend_.run("reading heads", [&]() -> Result<std::vector<Version>> {
    return backend_.sessions.read([&](Session& session) {
      Array names(ArrayType::text);
      for (const StreamName& stream : streams) names.add(stream.view());
      const Rows rows = session.run(kHeads, Parameters().array(std::move(names)));
      std::vector<Version> heads;
      for (int row = 0; row < rows.size(); ++row) heads.push_back({rows.number(row, 0)});
      return heads;
    });
  });
}

Status PostgresReader::event(const EventId& id, EventSink& sink) {
  return backend_.run("reading an event", [&]() -> Status {
    const Rows rows = backend_.sessions.read(
        [&](Session& session) { return session.run(kEvent, Parameters().bytes(id.view())); });
    if (rows.empty()) return {StatusCode::not_found, "there is no event " + id.to_string()};
    sink.event(event_view(rows, 0));
    return {};
  });
}

Status PostgresReader::streams(std::string_view category, std::string_view after,
                               std::uint32_t limit, StreamSink& sink) {
  // A category's names are its own, and those that go on with '-', which sorts before every other
  // character of a name.
  const std::string first(category);
  const std::string end = category.empty() ? std::string() : first + '.';
  return backend_.run("reading the streams", [&]() -> Status {
    const Rows rows = backend_.sessions.read([&](Session& session) {
      return session.run(kStreams, Parameters().text(after).text(first).text(end).number8(limit));
    });
    for (int row = 0; row < rows.size(); ++row) {
      if (!sink.stream(rows.bytes(row, 0), {rows.number(row, 1)})) return {};
    }
    return {};
  });
}

}  // namespace vouch::postgres
