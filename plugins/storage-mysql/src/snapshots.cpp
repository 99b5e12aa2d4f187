#include "snapshots.h"

namespace vouch::mysql {

namespace {

/// Assignments run from left to right and see each other, so the version comes last.
constexpr const char* kSave =
    "INSERT INTO vouch_snapshots (stream, version, time, content_type, data) VALUES (?,?,?,?,?) "
    "ON DUPLICATE KEY UPDATE "
    "time = IF(VALUES(version) > version, VALUES(time), time), "
    "content_type = IF(VALUES(version) > version, VALUES(content_type), content_type), "
    "data = IF(VALUES(version) > version, VALUES(data), data), "
    "version = GREATEST(version, VALUES(version))";

}  // namespace

Status MysqlSnapshots::save(std::span<const Snapshot> snapshots) {
  return backend_.run("saving snapshots", [&]() -> Status {
    // Saving one again changes nothing, so the whole may be repeated.
    backend_.work.with([&](Session& session) {
      for (const Snapshot& snapshot : snapshots) {
        session.prepared(kSave).execute(
            {snapshot.stream.view(), snapshot.version.value, snapshot.time.micros,
             std::string_view(snapshot.content_type), std::string_view(snapshot.data)});
      }
    });
    return {};
  });
}

Result<std::optional<Snapshot>> MysqlSnapshots::newest(const StreamName& stream) {
  using Found = std::optional<Snapshot>;
  return backend_.run("reading a snapshot", [&]() -> Result<Found> {
    return backend_.work.with([&](Session& session) -> Found {
      Rows rows = session
                      .prepared(
                          "SELECT version, time, content_type, data FROM vouch_snapshots "
                          "WHERE stream = ?")
                      .run({stream.view()});
      if (!rows.next()) return std::nullopt;
      return Snapshot{stream,
                      {rows.number(0)},
                      {rows.integer(1)},
                      std::string(rows.bytes(2)),
                      std::string(rows.bytes(3))};
    });
  });
}

Status MysqlSnapshots::remove(const StreamName& stream) {
  return backend_.run("removing snapshots", [&]() -> Status {
    backend_.work.with([&](Session& session) {
      session.prepared("DELETE FROM vouch_snapshots WHERE stream = ?").execute({stream.view()});
    });
    return {};
  });
}

Result<std::uint64_t> MysqlSnapshots::prune(Timestamp time) {
  return backend_.run("pruning snapshots", [&]() -> Result<std::uint64_t> {
    return backend_.work.with([&](Session& session) {
      return session.prepared("DELETE FROM vouch_snapshots WHERE time < ?").execute({time.micros});
    });
  });
}

}  // namespace vouch::mysql
