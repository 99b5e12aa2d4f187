#include "erasures.h"

#include <algorithm>
#include <optional>

namespace vouch::postgres {
namespace {

/// Versions in one statement, so that none comes near "statement_timeout".
constexpr std::uint64_t kAtOnce = 1'000;
/// The whole is tried again when a lock did not come or a deadlock was broken.
constexpr int kMostTries = 5;

constexpr Sql kBegin{"begin", "BEGIN"};
constexpr Sql kCommit{"commit", "COMMIT"};
/// One erasure of a stream at a time: the records are read before they are written. Nothing else
/// locks a row of events.
constexpr Sql kLock{"lock_stream_to_erase",
                    "SELECT 1 FROM events WHERE stream = $1 AND version = 1 FOR UPDATE"};
constexpr Sql kHead{"head_to_erase",
                    "SELECT version FROM events WHERE stream = $1 ORDER BY version DESC LIMIT 1"};
/// Versions within a recorded range are tombstones already.
constexpr Sql kErase{"erase_events",
                     "UPDATE events SET data = $4, content_type = $5, metadata = $6 "
                     "WHERE stream = $1 AND version BETWEEN $2 AND $3 AND NOT EXISTS "
                     "(SELECT 1 FROM erasures AS e WHERE e.stream = $1 "
                     "AND events.version BETWEEN e.first_version AND e.last_version)"};
constexpr Sql kSnapshots{"erase_snapshots",
                         "DELETE FROM snapshots WHERE stream = $1 AND version >= $2"};
constexpr Sql kRecord{"record_erasure",
                      "INSERT INTO erasures "
                      "(stream, first_version, last_version, time, reason, events) "
                      "VALUES ($1, $2, $3, $4, $5, $6)"};
constexpr Sql kRecorded{"erasures_recorded",
                        "SELECT first_version, last_version, time, reason, events FROM erasures "
                        "WHERE stream = $1 ORDER BY number"};

/// Nothing when there is no such stream. Pre: within a transaction.
std::optional<ErasureOutcome> erase_within(Session& session, const Erasure& erasure) {
  const std::string_view stream = erasure.stream.view();
  session.run(kLock, Parameters().text(stream));
  const Rows head = session.run(kHead, Parameters().text(stream));
  if (head.empty()) return std::nullopt;
  ErasureOutcome outcome;
  outcome.last = std::min(erasure.last, Version{head.number(0, 0)});
  for (std::uint64_t first = erasure.first.value; first <= outcome.last.value; first += kAtOnce) {
    const std::uint64_t last = std::min(outcome.last.value, first + kAtOnce - 1);
    outcome.events += session
                          .run(kErase, Parameters()
                                           .text(stream)
                                           .number(first)
                                           .number(last)
                                           .bytes(kTombstoneData)
                                           .text(kTombstoneContentType)
                                           .bytes(erasure.metadata))
                          .affected();
  }
  outcome.snapshots =
      session.run(kSnapshots, Parameters().text(stream).number(erasure.first.value)).affected();
  if (outcome.events + outcome.snapshots > 0) {
    session.run(kRecord, Parameters()
                             .text(stream)
                             .number(erasure.first.value)
                             .number(outcome.last.value)
                             .number8(erasure.time.micros)
                             .text(erasure.reason)
                             .number(outcome.events));
  }
  return outcome;
}

/// Asked first, and again on a new session if an idle one was lost: the transaction itself is not
/// repeated, since its COMMIT may have been heard.
bool exists(SessionPool& sessions, const StreamName& stream) {
  return sessions.read([&](Session& session) {
    return !session.run(kHead, Parameters().text(stream.view())).empty();
  });
}

/// A session that is left by an exception is closed by the pool, which rolls back.
std::optional<ErasureOutcome> erase_once(SessionPool& sessions, const Erasure& erasure) {
  if (!exists(sessions, erasure.stream)) return std::nullopt;
  const SessionPool::Lease session = sessions.lease();
  session->run(kBegin);
  const auto outcome = erase_within(*session, erasure);
  session->run(kCommit);
  return outcome;
}

}  // namespace

Result<ErasureOutcome> PostgresErasures::erase(const Erasure& erasure) {
  if (Status status = check_erasure(erasure); !status.ok()) return status;
  Result<ErasureOutcome> result = ErasureOutcome();
  for (int tried = 0; tried < kMostTries; ++tried) {
    result = backend_.run("erasing events", [&]() -> Result<ErasureOutcome> {
      const auto outcome = erase_once(backend_.sessions, erasure);
      if (outcome) return *outcome;
      return Status(StatusCode::not_found, "there is no stream " + erasure.stream.str());
    });
    if (result.status().code() != StatusCode::contended) break;
  }
  return result;
}

Result<std::vector<ErasureRecord>> PostgresErasures::recorded(const StreamName& stream) {
  using Records = std::vector<ErasureRecord>;
  return backend_.run("reading erasures", [&]() -> Result<Records> {
    const Rows rows = backend_.sessions.read(
        [&](Session& session) { return session.run(kRecorded, Parameters().text(stream.view())); });
    Records records;
    for (int row = 0; row < rows.size(); ++row) {
      records.push_back({stream,
                         {rows.number(row, 0)},
                         {rows.number(row, 1)},
                         {rows.integer(row, 2)},
                         rows.text(row, 3),
                         rows.number(row, 4)});
    }
    return records;
  });
}

}  // namespace vouch::postgres
