#include "snapshots.h"

namespace vouch::sqlite {

Status SqliteSnapshots::save(std::span<const Snapshot> snapshots) {
  if (snapshots.empty()) return {};
  return backend_.run("saving snapshots", [&]() -> Status {
    write(backend_, [&](WriteTransaction& transaction) {
      for (const Snapshot& snapshot : snapshots) {
        transaction.sql().save_snapshot.execute(
            snapshot.stream.view(), snapshot.version.value, snapshot.time.micros,
            std::string_view(snapshot.content_type), Blob{snapshot.data});
      }
    });
    return {};
  });
}

Result<std::optional<Snapshot>> SqliteSnapshots::newest(const StreamName& stream) {
  using Found = std::optional<Snapshot>;
  return backend_.run("reading a snapshot", [&]() -> Result<Found> {
    ReaderPool::Lease session = backend_.readers.lease();
    Rows rows = session->snapshot.run(stream.view());
    if (!rows.next()) return Found{};
    return Found{Snapshot{stream,
                          {rows.number(0)},
                          {rows.integer(1)},
                          std::string(rows.bytes(2)),
                          std::string(rows.bytes(3))}};
  });
}

Status SqliteSnapshots::remove(const StreamName& stream) {
  return backend_.run("removing snapshots", [&]() -> Status {
    write(backend_, [&](WriteTransaction& transaction) {
      transaction.sql().remove_snapshot.execute(stream.view());
    });
    return {};
  });
}

Result<std::uint64_t> SqliteSnapshots::prune(Timestamp time) {
  return backend_.run("pruning snapshots", [&]() -> Result<std::uint64_t> {
    std::uint64_t removed = 0;
    write(backend_, [&](WriteTransaction& transaction) {
      removed = static_cast<std::uint64_t>(transaction.sql().prune_snapshots.execute(time.micros));
    });
    return removed;
  });
}

}  // namespace vouch::sqlite
