#include "purge.h"

#include <algorithm>
#include <map>
#include <optional>
#include <vector>

namespace vouch::mysql {

namespace {

struct Range {
  std::uint64_t first, last;
};

/// What to take away: numbers, and the highest batch of each lane.
struct Old {
  std::vector<std::uint64_t> numbers;
  std::map<std::uint32_t, std::uint64_t> horizons;
};

Old old_deliveries(Session& session, std::uint32_t partitions, Timestamp before,
                   std::uint32_t limit) {
  Old old;
  for (std::uint32_t i = 0; i < partitions && old.numbers.size() < limit; ++i) {
    Rows rows = session
                    .prepared(
                        "SELECT number, lane, batch FROM vouch_deliveries WHERE "
                        "partition_number = ? AND delivered_at <= ? "
                        "ORDER BY delivered_at, number LIMIT ?")
                    .run({i, before.micros, std::uint64_t{limit - old.numbers.size()}});
    while (rows.next()) {
      old.numbers.push_back(rows.number(0));
      std::uint64_t& horizon = old.horizons[rows.number32(1)];
      horizon = std::max(horizon, rows.number(2));
    }
  }
  std::ranges::sort(old.numbers);
  return old;
}

std::optional<Range> range_at_or_before(Session& session, std::uint64_t number) {
  Rows rows = session
                  .prepared(
                      "SELECT first_number, last_number FROM vouch_purged "
                      "WHERE first_number <= ? ORDER BY first_number DESC LIMIT 1")
                  .run({number});
  if (!rows.next()) return std::nullopt;
  return Range{rows.number(0), rows.number(1)};
}

/// Adds a range that overlaps none, and joins it with its neighbours.
void add_range(Session& session, Range range) {
  const auto drop = [&](std::uint64_t first) {
    session.prepared("DELETE FROM vouch_purged WHERE first_number = ?").execute({first});
  };
  const auto before = range_at_or_before(session, range.first);
  if (before && before->last + 1 == range.first) {
    drop(before->first);
    range.first = before->first;
  }
  const auto after = range_at_or_before(session, range.last + 1);
  if (after && after->first == range.last + 1) {
    drop(after->first);
    range.last = after->last;
  }
  session.prepared("INSERT INTO vouch_purged (first_number, last_number) VALUES (?, ?)")
      .execute({range.first, range.last});
}

void take_away(Session& session, const Old& old) {
  for (std::size_t i = 0; i < old.numbers.size();) {
    Range range{old.numbers[i], old.numbers[i]};
    for (++i; i < old.numbers.size() && old.numbers[i] == range.last + 1; ++i) ++range.last;
    session.prepared("DELETE FROM vouch_deliveries WHERE number BETWEEN ? AND ?")
        .execute({range.first, range.last});
    add_range(session, range);
  }
  for (const auto& [lane, batch] : old.horizons) {
    session
        .prepared(
            "INSERT INTO vouch_lanes (lane, incarnation, session, purged_batch) "
            "VALUES (?, 0, 0, ?) ON DUPLICATE KEY UPDATE "
            "purged_batch = GREATEST(purged_batch, VALUES(purged_batch))")
        .execute({lane, batch});
  }
}

std::uint64_t purge_in_transaction(Session& session, std::uint32_t partitions, Timestamp before,
                                   std::uint32_t limit) {
  // One host at a time: the ranges are read before they are written.
  session.execute("SELECT id FROM vouch_store WHERE id = 1 FOR UPDATE");
  const Old old = old_deliveries(session, partitions, before, limit);
  take_away(session, old);
  const std::uint64_t keys = session
                                 .prepared(
                                     "DELETE FROM vouch_idempotency WHERE written <= ? "
                                     "ORDER BY written, scope, name LIMIT ?")
                                 .execute({before.micros, limit});
  return old.numbers.size() + keys;
}

}  // namespace

std::uint64_t purge_once(Session& session, std::uint32_t partitions, Timestamp before,
                         std::uint32_t limit) {
  session.execute("START TRANSACTION");
  try {
    const std::uint64_t rows = purge_in_transaction(session, partitions, before, limit);
    session.execute("COMMIT");
    return rows;
  } catch (const SqlError& error) {
    // The pool closes a session that is left by an exception, so this only ends it sooner.
    if (!breaks_session(error)) session.execute("ROLLBACK");
    throw;
  }
}

bool is_purged(Session& session, LedgerNumber number) {
  const auto range = range_at_or_before(session, number.value);
  return range && number.value >= range->first && number.value <= range->last;
}

}  // namespace vouch::mysql
