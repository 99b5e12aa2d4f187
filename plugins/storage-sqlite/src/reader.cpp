#include "reader.h"

#include <algorithm>
#include <limits>

namespace vouch::sqlite {

namespace {

/// Events in one statement, that is in one read transaction.
constexpr std::uint32_t kPage = 5'000;
/// Streams in one read transaction.
constexpr std::uint32_t kStreamPage = 500;
constexpr std::int64_t kLastVersion = std::numeric_limits<std::int64_t>::max();

std::int64_t first_version(Version from, Direction direction) {
  if (from.value > static_cast<std::uint64_t>(kLastVersion)) return kLastVersion;
  if (from.value == 0) return direction == Direction::forward ? 1 : kLastVersion;
  return static_cast<std::int64_t>(from.value);
}

}  // namespace

Status SqliteReader::stream(const StreamName& stream, Version from, Direction direction,
                            std::uint32_t limit, EventSink& sink) {
  return backend_.run("reading a stream", [&]() -> Status {
    if (from.value > static_cast<std::uint64_t>(kLastVersion) && direction == Direction::forward) {
      return {};
    }
    ReaderPool::Lease session = backend_.readers.lease();
    Statement& page =
        direction == Direction::forward ? session->stream_forward : session->stream_backward;
    std::int64_t next = first_version(from, direction);
    for (std::uint32_t left = limit; left > 0;) {
      const std::uint32_t wanted = std::min(left, kPage);
      std::uint32_t seen = 0;
      std::int64_t last = next;
      Rows rows = page.run(stream.view(), next, wanted);
      while (rows.next()) {
        ++seen;
        last = rows.integer(3);
        if (!sink.event(event_view(rows))) return {};
      }
      if (seen < wanted) return {};
      next = direction == Direction::forward ? last + 1 : last - 1;
      left -= seen;
    }
    return {};
  });
}

Result<std::vector<Version>> SqliteReader::heads(std::span<const StreamName> streams) {
  using Heads = std::vector<Version>;
  return backend_.run("reading heads", [&]() -> Result<Heads> {
    Heads heads;
    heads.reserve(streams.size());
    ReaderPool::Lease session = backend_.readers.lease();
    const ReadTransaction snapshot(session.sql());
    for (const StreamName& stream : streams) {
      Rows rows = session->head.run(stream.view());
      heads.push_back(rows.next() ? Version{rows.number(0)} : Version{});
    }
    return heads;
  });
}

Status SqliteReader::event(const EventId& id, EventSink& sink) {
  return backend_.run("reading an event", [&]() -> Status {
    ReaderPool::Lease session = backend_.readers.lease();
    Rows rows = session->event_by_id.run(Blob{id.view()});
    if (!rows.next()) return {StatusCode::not_found, "there is no event " + id.to_string()};
    sink.event(event_view(rows));
    return {};
  });
}

Status SqliteReader::streams(std::string_view category, std::string_view after, std::uint32_t limit,
                             StreamSink& sink) {
  return backend_.run("listing streams", [&]() -> Status {
    // '-' sorts before every other character of a name, so a category's streams are the names
    // from "category" up to, not including, "category.".
    const std::string end = category.empty() ? "\x7f" : std::string(category) + '.';
    const bool before_all = !category.empty() && after < category;
    std::string position(before_all ? category : after);
    bool inclusive = before_all;
    ReaderPool::Lease session = backend_.readers.lease();
    std::uint32_t left = limit;
    while (left > 0) {
      const ReadTransaction snapshot(session.sql());
      for (std::uint32_t i = 0; i < kStreamPage && left > 0; ++i, --left) {
        {
          Statement& next = inclusive ? session->stream_from : session->stream_after;
          Rows rows = next.run(std::string_view(position), std::string_view(end));
          inclusive = false;
          if (!rows.next()) return {};
          position = std::string(rows.bytes(0));
        }
        Rows rows = session->head.run(std::string_view(position));
        const Version head = rows.next() ? Version{rows.number(0)} : Version{};
        if (!sink.stream(position, head)) return {};
      }
    }
    return {};
  });
}

}  // namespace vouch::sqlite
