#include "ledger.h"

#include <algorithm>
#include <memory>

#include "ready_scan.h"

namespace vouch::sqlite {

class SqliteLedger::HeldClaim final : public Claim {
 public:
  HeldClaim(SqliteLedger& ledger, Partition partition) : ledger_(ledger), partition_(partition) {}
  ~HeldClaim() override {
    const std::lock_guard lock(ledger_.claims_mutex_);
    ledger_.claims_.erase(partition_);
  }
  [[nodiscard]] Partition partition() const override { return partition_; }
  // The file's lock is held by this process for as long as it lives, so a claim can't be lost.
  [[nodiscard]] bool held() const override { return true; }

 private:
  SqliteLedger& ledger_;
  const Partition partition_;
};

namespace {

/// Gives one delivery with its events, unless its row says that it was delivered meanwhile: the
/// marks were asked before the row is read, and a mark leaves them only when its row is committed.
/// Returns how many events were given.
std::uint64_t give(ReadStatements& sql, std::uint64_t number, DeliverySink& sink) {
  Delivery delivery;
  std::uint64_t first = 0;
  std::uint64_t last = 0;
  {
    Rows rows = sql.delivery.run(number);
    if (!rows.next() || !rows.null(6)) return 0;
    delivery.id = {{rows.number32(0)}, {number}};
    delivery.token = {{rows.number32(1)}, {rows.number(2)}, {}};
    first = rows.number(3);
    last = rows.number(4);
    delivery.written = {rows.integer(5)};
  }
  delivery.events = static_cast<std::uint32_t>(last - first + 1);
  if (!sink.delivery(delivery)) return 1;
  Rows rows = sql.feed.run(first - 1, last, last - first + 1);
  while (rows.next()) sink.event(event_view(rows));
  return delivery.events;
}

std::uint64_t last_number(ReadStatements& sql) {
  Rows rows = sql.last_number.run();
  return rows.next() ? rows.number(0) : 0;
}

}  // namespace

void SqliteLedger::count(std::uint32_t partitions) {
  std::vector<Count> counts(partitions);
  ReaderPool::Lease session = backend_.readers.lease();
  Rows rows = session->counts.run();
  while (rows.next()) {
    const std::uint32_t partition = rows.number32(0);
    if (partition < partitions) counts[partition] = {rows.number(1), rows.number(2)};
  }
  backend_.marks.reset(std::move(counts));
}

Status SqliteLedger::ready(std::span<const Partition> partitions, LedgerNumber after,
                           std::uint32_t max_events, DeliverySink& sink) {
  return backend_.run("reading the ledger", [&]() -> Status {
    ReaderPool::Lease session = backend_.readers.lease();
    ReadStatements& sql = session.sql();
    // Nothing that is committed later is given, so that the partitions' rows can be merged by
    // number although each chunk of them is read by itself.
    const std::uint64_t last = last_number(sql);
    std::vector<Partition> wanted(partitions.begin(), partitions.end());
    std::sort(wanted.begin(), wanted.end());
    wanted.erase(std::unique(wanted.begin(), wanted.end()), wanted.end());
    std::vector<ReadyScan> scans;
    scans.reserve(wanted.size());
    for (const Partition partition : wanted) {
      scans.emplace_back(sql, backend_.marks, partition, after.value, last);
    }
    std::uint64_t given = 0;
    do {
      ReadyScan* next = nullptr;
      std::uint64_t lowest = 0;
      for (ReadyScan& scan : scans) {
        const auto number = scan.peek();
        if (number && (next == nullptr || *number < lowest)) {
          next = &scan;
          lowest = *number;
        }
      }
      if (next == nullptr) break;
      next->move_on();
      if (backend_.marks.pending({next->partition(), {lowest}})) continue;
      given += give(sql, lowest, sink);
    } while (given < max_events);
    return {};
  });
}

Status SqliteLedger::complete(std::span<const DeliveryId> deliveries) {
  return backend_.run("marking deliveries", [&]() -> Status {
    const Timestamp now = backend_.services.clock().now();
    bool wake = false;
    {
      ReaderPool::Lease session = backend_.readers.lease();
      const ReadTransaction snapshot(session.sql());
      for (const DeliveryId& id : deliveries) {
        Rows rows = session->delivery.run(id.number.value);
        const bool open = rows.next() && rows.number32(0) == id.partition.value && rows.null(6);
        if (!open) continue;
        const std::uint64_t events = rows.number(4) - rows.number(3) + 1;
        wake = backend_.marks.add({id, events, now}) || wake;
      }
    }
    if (wake) marked_();
    return {};
  });
}

Result<std::vector<std::uint8_t>> SqliteLedger::delivered(std::span<const DeliveryId> deliveries) {
  using Answers = std::vector<std::uint8_t>;
  return backend_.run("asking for delivery marks", [&]() -> Result<Answers> {
    Answers answers;
    answers.reserve(deliveries.size());
    // The marks first: one that leaves them meanwhile is in the database by then.
    for (const DeliveryId& id : deliveries) answers.push_back(backend_.marks.pending(id) ? 1 : 0);
    ReaderPool::Lease session = backend_.readers.lease();
    const ReadTransaction snapshot(session.sql());
    const std::uint64_t last = last_number(session.sql());
    for (std::size_t i = 0; i < deliveries.size(); ++i) {
      if (answers[i] != 0) continue;
      const DeliveryId& id = deliveries[i];
      Rows rows = session->delivery.run(id.number.value);
      if (rows.next()) {
        answers[i] = rows.number32(0) == id.partition.value && !rows.null(6) ? 1 : 0;
      } else {
        answers[i] = id.number.value > 0 && id.number.value <= last ? 1 : 0;
      }
    }
    return answers;
  });
}

Result<std::vector<Backlog>> SqliteLedger::backlog() {
  return backend_.run("reading the backlog", [&]() -> Result<std::vector<Backlog>> {
    std::vector<Backlog> backlogs;
    const std::vector<Count> counts = backend_.marks.undelivered();
    ReaderPool::Lease session = backend_.readers.lease();
    const std::uint64_t last = last_number(session.sql());
    for (std::uint32_t i = 0; i < counts.size(); ++i) {
      Backlog backlog{{i}, counts[i].deliveries, counts[i].events, std::nullopt};
      ReadyScan scan(session.sql(), backend_.marks, {i}, 0, last);
      if (const auto number = backlog.deliveries > 0 ? scan.peek() : std::nullopt) {
        Rows rows = session->delivery.run(*number);
        if (rows.next()) backlog.oldest = Timestamp{rows.integer(5)};
      }
      backlogs.push_back(backlog);
    }
    return backlogs;
  });
}

namespace {

/// Both tables are in the order in which they were written, and nothing is marked before it was
/// written: the first row that is too young ends the search.
std::uint64_t purge_deliveries(WriteStatements& sql, std::int64_t before, std::uint32_t limit) {
  struct Old {
    std::uint64_t number, lane, batch;
  };
  std::vector<Old> old;
  {
    Rows rows = sql.deliveries_in_order.run();
    while (old.size() < limit && rows.next() && rows.integer(3) <= before) {
      if (rows.null(4) || rows.integer(4) > before) continue;
      old.push_back({rows.number(0), rows.number(1), rows.number(2)});
    }
  }
  std::map<std::uint64_t, std::uint64_t> horizons;
  for (const Old& row : old) {
    sql.delete_delivery.execute(row.number);
    horizons[row.lane] = std::max(horizons[row.lane], row.batch);
  }
  for (const auto& [lane, batch] : horizons) sql.raise_horizon.execute(lane, batch);
  return old.size();
}

std::uint64_t purge_keys(WriteStatements& sql, std::int64_t before, std::uint32_t limit) {
  std::vector<std::uint64_t> old;
  {
    Rows rows = sql.keys_in_order.run();
    while (old.size() < limit && rows.next() && rows.integer(1) <= before) {
      old.push_back(rows.number(0));
    }
  }
  for (const std::uint64_t number : old) sql.delete_key.execute(number);
  return old.size();
}

}  // namespace

Result<std::uint64_t> SqliteLedger::purge(std::chrono::seconds age, std::uint32_t limit) {
  return backend_.run("purging the ledger", [&]() -> Result<std::uint64_t> {
    const std::int64_t before =
        backend_.services.clock().now().micros - std::chrono::microseconds(age).count();
    std::uint64_t removed = 0;
    write(backend_, [&](WriteTransaction& transaction) {
      transaction.carry_marks(limit);
      removed = purge_deliveries(transaction.sql(), before, limit);
      removed += purge_keys(transaction.sql(), before, limit);
    });
    return removed;
  });
}

Result<std::unique_ptr<Claim>> SqliteLedger::claim(Partition partition) {
  if (partition.value >= backend_.partitions) {
    return Status(StatusCode::invalid_argument,
                  "the store has no partition " + std::to_string(partition.value));
  }
  {
    const std::lock_guard lock(claims_mutex_);
    if (!claims_.insert(partition).second) {
      return Status(StatusCode::held,
                    "partition " + std::to_string(partition.value) + " is claimed already");
    }
  }
  return std::unique_ptr<Claim>(std::make_unique<HeldClaim>(*this, partition));
}

}  // namespace vouch::sqlite
