#include "ledger.h"

#include <algorithm>
#include <map>
#include <optional>

#include "event_rows.h"

namespace vouch::postgres {
namespace {

/// Events that are fetched by one statement.
constexpr std::uint64_t kEventsAtOnce = 500;

constexpr Sql kReady{"ready",
                     "SELECT number, partition, lane, batch, native, first_place, last_place, "
                     "events, written FROM deliveries WHERE partition = ANY ($1) "
                     "AND delivered_at IS NULL AND number > $2 ORDER BY number LIMIT $3"};

constexpr Sql kEventsOf{"events_of_deliveries",
                        "SELECT d.n, " VOUCH_EVENT_COLUMNS
                        " FROM unnest($1, $2, $3, $4) AS d(n, lane, first, last) "
                        "JOIN events e ON e.lane = d.lane AND e.place BETWEEN d.first AND d.last "
                        "ORDER BY d.n, e.place"};

constexpr Sql kBegin{"begin", "BEGIN"};
constexpr Sql kCommit{"commit", "COMMIT"};
// A mark that a crash of the server loses makes a repetition, which is allowed; waiting for the
// disk would make every round slower.
constexpr Sql kNoWait{"no_wait", "SELECT set_config('synchronous_commit', 'off', true)"};
constexpr Sql kMark{"mark",
                    "UPDATE deliveries d SET delivered_at = $1 FROM unnest($2, $3) AS m(n, p) "
                    "WHERE d.number = m.n AND d.partition = m.p AND d.delivered_at IS NULL"};

// How far the log is written, and how far it is on the disk.
constexpr Sql kLog{"log_position",
                   "SELECT (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::bigint, "
                   "(pg_current_wal_flush_lsn() - '0/0'::pg_lsn)::bigint"};

constexpr Sql kMarked{
    "marked",
    "SELECT m.i, CASE WHEN d.number IS NULL THEN m.n <= (SELECT purged_number FROM store) "
    "AND m.n > 0 ELSE d.delivered_at IS NOT NULL AND d.partition = m.p END "
    "FROM unnest($1, $2, $3) AS m(i, n, p) LEFT JOIN deliveries d ON d.number = m.n"};

constexpr Sql kBacklog{"backlog",
                       "SELECT partition, count(*), sum(events)::bigint, min(written) "
                       "FROM deliveries WHERE delivered_at IS NULL GROUP BY partition"};

constexpr Sql kPurgeDeliveries{
    "purge_deliveries",
    "WITH old AS (DELETE FROM deliveries WHERE number IN (SELECT number FROM deliveries "
    "WHERE delivered_at <= $1 ORDER BY delivered_at LIMIT $2 FOR UPDATE SKIP LOCKED) "
    "RETURNING number, lane, batch), "
    "horizon AS (UPDATE lanes l SET purged_batch = greatest(l.purged_batch, o.batch) "
    "FROM (SELECT lane, max(batch) AS batch FROM old GROUP BY lane) AS o WHERE l.lane = o.lane), "
    "highest AS (UPDATE store SET purged_number = greatest(purged_number, "
    "(SELECT max(number) FROM old)) WHERE EXISTS (SELECT 1 FROM old)) "
    "SELECT count(*) FROM old"};

constexpr Sql kPurgeKeys{
    "purge_keys",
    "WITH old AS (DELETE FROM idempotency WHERE (scope, key) IN (SELECT scope, key "
    "FROM idempotency WHERE written <= $1 ORDER BY written LIMIT $2 FOR UPDATE SKIP LOCKED) "
    "RETURNING 1) SELECT count(*) FROM old"};

struct ReadyDelivery {
  Delivery delivery;
  std::int64_t lane = 0;
  std::int64_t first = 0;
  std::int64_t last = 0;
};

std::vector<ReadyDelivery> read_ready(const Rows& rows) {
  std::vector<ReadyDelivery> found;
  for (int row = 0; row < rows.size(); ++row) {
    ReadyDelivery one;
    one.delivery.id = {{rows.number32(row, 1)}, {rows.number(row, 0)}};
    one.delivery.token = {{rows.number32(row, 2)}, {rows.number(row, 3)}, rows.text(row, 4)};
    one.delivery.events = rows.number32(row, 7);
    one.delivery.written = {rows.integer(row, 8)};
    one.lane = rows.integer(row, 2);
    one.first = rows.integer(row, 5);
    one.last = rows.integer(row, 6);
    found.push_back(std::move(one));
  }
  return found;
}

/// Gives deliveries with their events. False when the sink wanted one of them not.
bool give(Session& session, std::span<const ReadyDelivery> deliveries, DeliverySink& sink) {
  Array numbers(ArrayType::int8);
  Array lanes(ArrayType::int4);
  Array firsts(ArrayType::int8);
  Array lasts(ArrayType::int8);
  std::vector<bool> read(deliveries.size());
  for (std::size_t i = 0; i < deliveries.size(); ++i) {
    read[i] = sink.must_be_read(deliveries[i].delivery);
    if (!read[i]) continue;
    numbers.add(static_cast<std::int64_t>(i));
    lanes.add4(static_cast<std::int32_t>(deliveries[i].lane));
    firsts.add(deliveries[i].first);
    lasts.add(deliveries[i].last);
  }
  std::optional<Rows> rows;
  if (numbers.size() > 0) {
    rows = session.run(kEventsOf, Parameters()
                                      .array(std::move(numbers))
                                      .array(std::move(lanes))
                                      .array(std::move(firsts))
                                      .array(std::move(lasts)));
  }
  bool all_wanted = true;
  int row = 0;
  for (std::size_t i = 0; i < deliveries.size(); ++i) {
    const bool wanted = sink.delivery(deliveries[i].delivery);
    if (!read[i]) continue;
    all_wanted = all_wanted && wanted;
    for (; row < rows->size() && rows->number(row, 0) == i; ++row) {
      if (wanted) sink.event(event_view(*rows, row, 1));
    }
  }
  return all_wanted;
}

}  // namespace

Status PostgresLedger::ready(std::span<const Partition> partitions, LedgerNumber after,
                             std::uint32_t max_events, DeliverySink& sink) {
  return backend_.run("reading the ledger", [&]() -> Status {
    Array wanted(ArrayType::int4);
    for (const Partition partition : partitions) {
      wanted.add4(static_cast<std::int32_t>(partition.value));
    }
    // One snapshot tells which deliveries are ready; their events never change.
    const auto ask = [&] {
      return backend_.sessions.read([&](Session& session) {
        Array again = wanted;
        return read_ready(session.run(
            kReady, Parameters().array(std::move(again)).number(after.value).number8(max_events)));
      });
    };
    std::vector<ReadyDelivery> ready = ask();
    std::vector<DeliveryId> taken_back;
    for (const ReadyDelivery& one : ready) {
      if (recent_.contains(one.delivery.id)) taken_back.push_back(one.delivery.id);
    }
    if (!taken_back.empty()) {
      mark(taken_back);
      ready = ask();
    }
    std::uint64_t given = 0;
    std::size_t begin = 0;
    const SessionPool::Lease session = backend_.sessions.lease();
    while (begin < ready.size() && (given == 0 || given < max_events)) {
      std::size_t end = begin;
      std::uint64_t events = 0;
      while (end < ready.size() &&
             (end == begin || events + ready[end].delivery.events <= kEventsAtOnce) &&
             (given + events == 0 || given + events < max_events)) {
        events += ready[end++].delivery.events;
      }
      const bool wanted_all = give(*session, std::span(ready).subspan(begin, end - begin), sink);
      given += events;
      begin = end;
      if (!wanted_all) break;
    }
    return {};
  });
}

Status PostgresLedger::complete(std::span<const DeliveryId> deliveries) {
  if (deliveries.empty()) return {};
  return backend_.run("marking deliveries", [&]() -> Status {
    mark({deliveries.begin(), deliveries.end()});
    return {};
  });
}

void PostgresLedger::mark(std::vector<DeliveryId> deliveries) {
  const std::int64_t now = backend_.services.clock().now().micros;
  backend_.sessions.read([&](Session& session) {
    std::vector<DeliveryId> all = recent_.doubtful(session.opened());
    all.insert(all.end(), deliveries.begin(), deliveries.end());
    Array numbers(ArrayType::int8);
    Array partitions(ArrayType::int4);
    for (const DeliveryId& id : all) {
      numbers.add(static_cast<std::int64_t>(id.number.value));
      partitions.add4(static_cast<std::int32_t>(id.partition.value));
    }
    std::vector<Step> steps;
    steps.push_back({&kBegin, {}});
    steps.push_back({&kNoWait, {}});
    steps.push_back(
        {&kMark, Parameters().number8(now).array(std::move(numbers)).array(std::move(partitions))});
    steps.push_back({&kCommit, {}});
    steps.push_back({&kLog, {}});
    const std::vector<Rows> answers = session.run(std::move(steps));
    const Rows& log = answers.back();
    recent_.marked(all, log.integer(0, 0), log.integer(0, 1), session.opened());
  });
}

Result<std::vector<std::uint8_t>> PostgresLedger::delivered(
    std::span<const DeliveryId> deliveries) {
  using Answers = std::vector<std::uint8_t>;
  return backend_.run("asking for delivery marks", [&]() -> Result<Answers> {
    return backend_.sessions.read([&](Session& session) {
      Answers answers(deliveries.size(), 0);
      Array places(ArrayType::int8);
      Array numbers(ArrayType::int8);
      Array partitions(ArrayType::int4);
      for (std::size_t i = 0; i < deliveries.size(); ++i) {
        places.add(static_cast<std::int64_t>(i));
        numbers.add(static_cast<std::int64_t>(deliveries[i].number.value));
        partitions.add4(static_cast<std::int32_t>(deliveries[i].partition.value));
      }
      const Rows rows = session.run(kMarked, Parameters()
                                                 .array(std::move(places))
                                                 .array(std::move(numbers))
                                                 .array(std::move(partitions)));
      for (int row = 0; row < rows.size(); ++row) {
        answers.at(rows.number(row, 0)) = rows.integer(row, 1) != 0 ? 1 : 0;
      }
      for (std::size_t i = 0; i < deliveries.size(); ++i) {
        if (recent_.contains(deliveries[i])) answers[i] = 1;
      }
      return answers;
    });
  });
}

Result<std::vector<Backlog>> PostgresLedger::backlog() {
  return backend_.run("reading the backlog", [&]() -> Result<std::vector<Backlog>> {
    return backend_.sessions.read([&](Session& session) {
      std::vector<Backlog> backlogs(backend_.partitions);
      for (std::uint32_t i = 0; i < backlogs.size(); ++i) backlogs[i].partition = {i};
      const Rows rows = session.run(kBacklog);
      for (int row = 0; row < rows.size(); ++row) {
        const std::uint32_t partition = rows.number32(row, 0);
        if (partition >= backlogs.size()) continue;
        backlogs[partition].deliveries = rows.number(row, 1);
        backlogs[partition].events = rows.number(row, 2);
        backlogs[partition].oldest = Timestamp{rows.integer(row, 3)};
      }
      return backlogs;
    });
  });
}

Result<std::uint64_t> PostgresLedger::purge(std::chrono::seconds age, std::uint32_t limit) {
  return backend_.run("purging the ledger", [&]() -> Result<std::uint64_t> {
    const std::int64_t before =
        backend_.services.clock().now().micros - std::chrono::microseconds(age).count();
    return backend_.sessions.read([&](Session& session) {
      const auto parameters = [&] { return Parameters().number8(before).number8(limit); };
      return session.run(kPurgeDeliveries, parameters()).number(0, 0) +
             session.run(kPurgeKeys, parameters()).number(0, 0);
    });
  });
}

}  // namespace vouch::postgres
