#include "erasures.h"

#include <algorithm>

namespace vouch::sqlite {
namespace {

Version head_of(WriteStatements& sql, std::string_view stream) {
  Rows rows = sql.head.run(stream);
  return rows.next() ? Version{rows.number(0)} : Version{};
}

/// Pre: within a write transaction. Throws StatusError (not_found), SqlError.
ErasureOutcome erase_within(WriteStatements& sql, const Erasure& erasure) {
  const std::string_view stream = erasure.stream.view();
  const Version head = head_of(sql, stream);
  if (head == Version{}) {
    throw StatusError({StatusCode::not_found, "there is no stream " + erasure.stream.str()});
  }
  ErasureOutcome outcome;
  outcome.last = std::min(erasure.last, head);
  outcome.events = static_cast<std::uint64_t>(sql.erase_events.execute(
      stream, erasure.first.value, outcome.last.value, Blob{kTombstoneData},
      std::string_view(kTombstoneContentType), Blob{erasure.metadata}));
  outcome.snapshots =
      static_cast<std::uint64_t>(sql.erase_snapshots.execute(stream, erasure.first.value));
  if (outcome.events + outcome.snapshots > 0) {
    sql.insert_erasure.execute(stream, erasure.first.value, outcome.last.value, erasure.time.micros,
                               std::string_view(erasure.reason), outcome.events);
  }
  return outcome;
}

}  // namespace

Result<ErasureOutcome> SqliteErasures::erase(const Erasure& erasure) {
  if (Status status = check_erasure(erasure); !status.ok()) return status;
  return backend_.run("erasing events", [&]() -> Result<ErasureOutcome> {
    ErasureOutcome outcome;
    write(backend_, [&](WriteTransaction& transaction) {
      outcome = erase_within(transaction.sql(), erasure);
    });
    checkpointer_.empty_log(backend_.options.busy_timeout);
    return outcome;
  });
}

Result<std::vector<ErasureRecord>> SqliteErasures::recorded(const StreamName& stream) {
  using Records = std::vector<ErasureRecord>;
  return backend_.run("reading erasures", [&]() -> Result<Records> {
    Records records;
    ReaderPool::Lease session = backend_.readers.lease();
    Rows rows = session->erasures.run(stream.view());
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
}

}  // namespace vouch::sqlite
