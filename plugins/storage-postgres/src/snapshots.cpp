#include "snapshots.h"

#include <map>

namespace vouch::postgres {
namespace {

/// Snapshots in one statement.
constexpr std::uint64_t kMostBytes = 8U << 20U;

constexpr Sql kSave{
    "save_snapshots",
    "INSERT INTO snapshots AS s (stream, version, time, content_type, data) "
    "SELECT * FROM unnest($1, $2, $3, $4, $5) AS n(stream, version, time, content_type, data) "
    "ORDER BY n.stream ON CONFLICT (stream) DO UPDATE SET version = excluded.version, "
    "time = excluded.time, content_type = excluded.content_type, data = excluded.data "
    "WHERE s.version < excluded.version"};
constexpr Sql kNewest{"newest_snapshot",
                      "SELECT version, time, content_type, data FROM snapshots WHERE stream = $1"};
constexpr Sql kRemove{"remove_snapshot", "DELETE FROM snapshots WHERE stream = $1"};
constexpr Sql kPrune{"prune_snapshots", "DELETE FROM snapshots WHERE time < $1"};

}  // namespace

Status PostgresSnapshots::save(std::span<const Snapshot> snapshots) {
  return backend_.run("saving snapshots", [&]() -> Status {
    // A statement may touch a row once only.
    std::map<std::string_view, const Snapshot*> newest;
    for (const Snapshot& snapshot : snapshots) {
      const Snapshot*& known = newest[snapshot.stream.view()];
      if (known == nullptr || known->version < snapshot.version) known = &snapshot;
    }
    for (auto next = newest.begin(); next != newest.end();) {
      Array streams(ArrayType::text);
      Array versions(ArrayType::int8);
      Array times(ArrayType::int8);
      Array types(ArrayType::text);
      Array data(ArrayType::bytes);
      for (std::uint64_t bytes = 0; next != newest.end() && bytes < kMostBytes; ++next) {
        const Snapshot& snapshot = *next->second;
        streams.add(snapshot.stream.view());
        versions.add(static_cast<std::int64_t>(snapshot.version.value));
        times.add(snapshot.time.micros);
        types.add(snapshot.content_type);
        data.add(snapshot.data);
        bytes += snapshot.data.size();
      }
      Parameters parameters;
      parameters.array(std::move(streams)).array(std::move(versions)).array(std::move(times));
      parameters.array(std::move(types)).array(std::move(data));
      backend_.sessions.read([&](Session& session) { session.run(kSave, parameters); });
    }
    return {};
  });
}

Result<std::optional<Snapshot>> PostgresSnapshots::newest(const StreamName& stream) {
  using Found = std::optional<Snapshot>;
  return backend_.run("reading a snapshot", [&]() -> Result<Found> {
    const Rows rows = backend_.sessions.read(
        [&](Session& session) { return session.run(kNewest, Parameters().text(stream.view())); });
    if (rows.empty()) return Found();
    Snapshot snapshot;
    snapshot.stream = stream;
    snapshot.version = {rows.number(0, 0)};
    snapshot.time = {rows.integer(0, 1)};
    snapshot.content_type = rows.text(0, 2);
    snapshot.data = rows.text(0, 3);
    return Found(std::move(snapshot));
  });
}

Status PostgresSnapshots::remove(const StreamName& stream) {
  return backend_.run("removing a snapshot", [&]() -> Status {
    backend_.sessions.read(
        [&](Session& session) { session.run(kRemove, Parameters().text(stream.view())); });
    return {};
  });
}

Result<std::uint64_t> PostgresSnapshots::prune(Timestamp time) {
  return backend_.run("pruning snapshots", [&]() -> Result<std::uint64_t> {
    return backend_.sessions.read([&](Session& session) {
      return session.run(kPrune, Parameters().number8(time.micros)).affected();
    });
  });
}

}  // namespace vouch::postgres
