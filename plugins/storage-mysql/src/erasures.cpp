#include "erasures.h"

#include <algorithm>
#include <optional>

namespace vouch::mysql {
namespace {

/// Versions in one statement, so that none comes near "statement_timeout".
constexpr std::uint64_t kAtOnce = 1'000;
/// The whole is tried again when a lock did not come or a deadlock was broken.
constexpr int kMostTries = 5;

/// Versions within a recorded range are tombstones already.
constexpr const char* kErase =
    "UPDATE vouch_events SET data = ?, content_type = ?, metadata = ? "
    "WHERE stream = ? AND version BETWEEN ? AND ? AND NOT EXISTS "
    "(SELECT 1 FROM vouch_erasures AS e WHERE e.stream = vouch_events.stream "
    "AND vouch_events.version BETWEEN e.first_version AND e.last_version)";

/// One erasure of a stream at a time: the records are read before they are written. Nothing else
/// locks a row of vouch_events that is committed. Its own Rows are read to the end.
void lock_stream(Session& session, std::string_view stream) {
  Rows rows = session
                  .prepared(
                      "SELECT version FROM vouch_events WHERE stream = ? AND version = 1 "
                      "FOR UPDATE")
                  .run({stream});
  while (rows.next()) {
  }
}

Version head_of(Session& session, std::string_view stream) {
  Rows rows = session
                  .prepared(
                      "SELECT version FROM vouch_events WHERE stream = ? "
                      "ORDER BY version DESC LIMIT 1")
                  .run({stream});
  return rows.next() ? Version{rows.number(0)} : Version{};
}

/// Nothing when there is no such stream. Pre: within a transaction.
std::optional<ErasureOutcome> erase_within(Session& session, const Erasure& erasure) {
  const std::string_view stream = erasure.stream.view();
  lock_stream(session, stream);
  const Version head = head_of(session, stream);
  if (head == Version{}) return std::nullopt;
  ErasureOutcome outcome;
  outcome.last = std::min(erasure.last, head);
  for (std::uint64_t first = erasure.first.value; first <= outcome.last.value; first += kAtOnce) {
    const std::uint64_t last = std::min(outcome.last.value, first + kAtOnce - 1);
    outcome.events += session.prepared(kErase).execute(
        {std::string_view(kTombstoneData), std::string_view(kTombstoneContentType),
         std::string_view(erasure.metadata), stream, first, last});
  }
  outcome.snapshots =
      session.prepared("DELETE FROM vouch_snapshots WHERE stream = ? AND version >= ?")
          .execute({stream, erasure.first.value});
  if (outcome.events + outcome.snapshots > 0) {
    session
        .prepared(
            "INSERT INTO vouch_erasures "
            "(stream, first_version, last_version, time, reason, events) VALUES (?,?,?,?,?,?)")
        .execute({stream, erasure.first.value, outcome.last.value, erasure.time.micros,
                  std::string_view(erasure.reason), outcome.events});
  }
  return outcome;
}

/// Asked first, and again on a new session if an idle one was lost: the transaction itself is not
/// repeated, since its COMMIT may have been heard.
bool exists(Pool& sessions, const StreamName& stream) {
  return sessions.with(
      [&](Session& session) { return head_of(session, stream.view()) != Version{}; });
}

/// A session that is left by an exception is closed by the pool, which rolls back.
std::optional<ErasureOutcome> erase_once(Pool& sessions, const Erasure& erasure) {
  if (!exists(sessions, erasure.stream)) return std::nullopt;
  Pool::Lease session = sessions.lease();
  session->execute("START TRANSACTION");
  const auto outcome = erase_within(*session, erasure);
  session->execute("COMMIT");
  return outcome;
}

}  // namespace

Result<ErasureOutcome> MysqlErasures::erase(const Erasure& erasure) {
  if (Status status = check_erasure(erasure); !status.ok()) return status;
  Result<ErasureOutcome> result = ErasureOutcome();
  for (int tried = 0; tried < kMostTries; ++tried) {
    result = backend_.run("erasing events", [&]() -> Result<ErasureOutcome> {
      const auto outcome = erase_once(backend_.work, erasure);
      if (outcome) return *outcome;
      return Status(StatusCode::not_found, "there is no stream " + erasure.stream.str());
    });
    if (result.status().code() != StatusCode::contended) break;
  }
  return result;
}

Result<std::vector<ErasureRecord>> MysqlErasures::recorded(const StreamName& stream) {
  using Records = std::vector<ErasureRecord>;
  return backend_.run("reading erasures", [&]() -> Result<Records> {
    return backend_.work.with([&](Session& session) {
      Rows rows = session
                      .prepared(
                          "SELECT first_version, last_version, time, reason, events "
                          "FROM vouch_erasures WHERE stream = ? ORDER BY number")
                      .run({stream.view()});
      Records records;
      while (rows.next()) {
        records.push_back({stream,
                           {rows.number(0)},
                           {rows.number(1)},
                           {rows.integer(2)},
                           std::string(rows.bytes(3)),
                           rows.number(4)});
      }
      return records;
    });
  });
}

}  // namespace vouch::mysql
