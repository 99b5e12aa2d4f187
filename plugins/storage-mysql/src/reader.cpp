#include "reader.h"

#include <algorithm>
#include <optional>

#include "event_rows.h"
#include "page_size.h"
#include "size_classes.h"

namespace vouch::mysql {

namespace {

constexpr std::uint32_t kFirstPage = 128;
constexpr std::uint32_t kMostRows = 4'096;
constexpr std::uint32_t kStreamPage = 200;
constexpr std::size_t kMostHeads = 64;
constexpr std::uint64_t kLastVersion = ~std::uint64_t{0};

std::string page_text(const char* compare, const char* order) {
  return std::string("SELECT ") + kEventColumns +
         " FROM vouch_events WHERE stream = ? AND version " + compare + " ? ORDER BY version" +
         order + " LIMIT ?";
}

/// In the order of `streams`; 0 for one that does not exist.
std::vector<Version> heads_of(Session& session, std::span<const StreamName> streams) {
  std::vector<Version> heads;
  heads.reserve(streams.size());
  for (std::size_t from = 0; from < streams.size();) {
    const std::size_t count = std::min(streams.size() - from, kMostHeads);
    const std::size_t columns = holding_class(count, kMostHeads);
    std::vector<Param> params;
    for (std::size_t i = 0; i < columns; ++i) {
      params.emplace_back(streams[from + std::min(i, count - 1)].view());
    }
    Rows rows = session
                    .prepared("SELECT " + repeated("(SELECT version FROM vouch_events WHERE "
                                                   "stream = ? ORDER BY version DESC LIMIT 1)",
                                                   columns, ", "))
                    .run(params);
    while (rows.next()) {
      for (std::size_t i = 0; i < count; ++i) {
        heads.push_back(rows.null(i) ? Version{} : Version{rows.number(i)});
      }
    }
    from += count;
  }
  return heads;
}

}  // namespace

Status MysqlReader::stream(const StreamName& stream, Version from, Direction direction,
                           std::uint32_t limit, EventSink& sink) {
  static const std::string forward_text = page_text(">=", "");
  static const std::string backward_text = page_text("<=", " DESC");
  return backend_.run("reading a stream", [&]() -> Status {
    const bool forward = direction == Direction::forward;
    std::uint64_t next = from.value;
    if (next == 0) next = forward ? 1 : kLastVersion;
    Pool::Lease session = backend_.work.lease();
    PageSize page(kFirstPage, kMostRows);
    for (std::uint32_t left = limit; left > 0;) {
      const std::uint32_t wanted = std::min(left, page.rows());
      std::uint32_t seen = 0;
      std::uint64_t bytes = 0;
      Rows rows = session->prepared(forward ? forward_text : backward_text)
                      .run({stream.view(), next, wanted});
      while (rows.next()) {
        const EventView event = event_view(rows);
        ++seen;
        bytes += event.data.size() + event.metadata.size();
        next = event.version.value;
        if (!sink.event(event)) return {};
      }
      if (seen < wanted || next == (forward ? kLastVersion : 1)) return {};
      next += forward ? 1 : std::uint64_t{0} - 1;
      page.saw(seen, bytes);
      left -= seen;
    }
    return {};
  });
}

Result<std::vector<Version>> MysqlReader::heads(std::span<const StreamName> streams) {
  using Heads = std::vector<Version>;
  return backend_.run("reading heads", [&]() -> Result<Heads> {
    return backend_.work.with([&](Session& session) { return heads_of(session, streams); });
  });
}

Status MysqlReader::event(const EventId& id, EventSink& sink) {
  return backend_.run("reading an event", [&]() -> Status {
    Pool::Lease session = backend_.work.lease();
    Rows rows =
        session
            ->prepared(std::string("SELECT ") + kEventColumns + " FROM vouch_events WHERE id = ?")
            .run({id.view()});
    if (!rows.next()) return {StatusCode::not_found, "there is no event " + id.to_string()};
    sink.event(event_view(rows));
    return {};
  });
}

namespace {

/// The next names behind `from`, or from it on if `inclusive`. Each statement jumps over all events
/// of a stream by the clustered key. One statement for all would have to hope for the optimiser:
/// GROUP BY may read every event, and a recursive query does (its range is no constant).
std::vector<StreamName> next_names(Session& session, std::string_view from, bool inclusive,
                                   std::string_view end, std::uint32_t limit) {
  const auto next = [&](const char* compare, std::string_view place) {
    std::optional<StreamName> name;
    Rows rows = session
                    .prepared(std::string("SELECT stream FROM vouch_events FORCE INDEX (PRIMARY) "
                                          "WHERE stream ") +
                              compare + " ? AND stream < ? ORDER BY stream, version LIMIT 1")
                    .run({place, end});
    while (rows.next()) name = StreamName::unchecked(std::string(rows.bytes(0)));
    return name;
  };
  std::vector<StreamName> names;
  std::optional<StreamName> name = next(inclusive ? ">=" : ">", from);
  while (name) {
    names.push_back(*std::move(name));
    if (names.size() == limit) break;
    name = next(">", names.back().view());
  }
  return names;
}

}  // namespace

Status MysqlReader::streams(std::string_view category, std::string_view after, std::uint32_t limit,
                            StreamSink& sink) {
  return backend_.run("listing streams", [&]() -> Status {
    // '-' sorts before every other character of a name, so a category's streams are the names
    // from "category" up to, not including, "category.".
    const std::string end = category.empty() ? "\x7f" : std::string(category) + '.';
    const bool before_all = !category.empty() && after < category;
    std::string position(before_all ? category : after);
    bool inclusive = before_all;
    for (std::uint32_t left = limit; left > 0;) {
      const std::uint32_t wanted = std::min(left, kStreamPage);
      std::vector<StreamName> names;
      const std::vector<Version> heads = backend_.work.with([&](Session& session) {
        names = next_names(session, position, inclusive, end, wanted);
        return heads_of(session, names);
      });
      for (std::size_t i = 0; i < names.size(); ++i) {
        if (!sink.stream(names[i].view(), heads[i])) return {};
      }
      if (names.size() < wanted) return {};
      position = names.back().str();
      inclusive = false;
      left -= wanted;
    }
    return {};
  });
}

}  // namespace vouch::mysql
