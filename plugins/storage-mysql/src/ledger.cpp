#include "ledger.h"

#include <algorithm>
#include <map>

#include "event_rows.h"
#include "page_size.h"
#include "purge.h"
#include "size_classes.h"

namespace vouch::mysql {

Status MysqlLedger::ready(std::span<const Partition> partitions, LedgerNumber after,
                          std::uint32_t max_events, DeliverySink& sink) {
  if (partitions.empty()) return {};
  return backend_.run("reading the ledger", [&]() -> Status {
    const std::vector<Waiting> found = backend_.work.with([&](Session& session) {
      std::vector<Waiting> waiting = undelivered(session, partitions, after, max_events);
      // What is given is published: it must be durable.
      if (!waiting.empty()) backend_.settle(session);
      return waiting;
    });
    if (found.empty()) return {};
    Pool::Lease session = backend_.work.lease();
    PageSize page(64, 2'048);
    std::span<const Waiting> left(found);
    while (!left.empty()) {
      if (const Waiting& first = left.front(); !sink.must_be_read(first.delivery)) {
        if (!marks_.pending(first.delivery.id)) sink.delivery(first.delivery);
        left = left.subspan(1);
        continue;
      }
      const std::span<const Waiting> run = first_run(left, page.rows(), sink);
      left = left.subspan(run.size());
      std::uint64_t events = 0;
      for (const Waiting& waiting : run) events += waiting.delivery.events;
      page.saw(events, give(*session, run, sink));
    }
    return {};
  });
}

/// Deliveries from the front whose events one walk along the lane's log gives, about `events`.
std::span<const MysqlLedger::Waiting> MysqlLedger::first_run(std::span<const Waiting> found,
                                                             std::uint64_t events,
                                                             DeliverySink& sink) {
  std::size_t count = 1;
  std::uint64_t sum = found[0].delivery.events;
  for (; count < found.size() && sum < events; ++count) {
    const Waiting& last = found[count - 1];
    const Waiting& next = found[count];
    if (next.delivery.token.lane != last.delivery.token.lane ||
        next.first_place != last.last_place + 1 || !sink.must_be_read(next.delivery)) {
      break;
    }
    sum += next.delivery.events;
  }
  return found.first(count);
}

/// One statement sees all partitions at one moment: of two deliveries of a stream the later one is
/// seen only with the earlier.
std::vector<MysqlLedger::Waiting> MysqlLedger::undelivered(Session& session,
                                                           std::span<const Partition> partitions,
                                                           LedgerNumber after,
                                                           std::uint32_t max_events) {
  std::set<Partition> wanted(partitions.begin(), partitions.end());
  const std::set<DeliveryId> pending = marks_.all();
  const std::uint64_t limit = std::max<std::uint64_t>(max_events, 1) + pending.size();
  std::vector<Param> params;
  for (const Partition partition : wanted) {
    params.emplace_back(partition.value);
    params.emplace_back(after.value);
    params.emplace_back(limit);
  }
  params.emplace_back(limit);
  const std::string of_partition =
      "(SELECT number FROM vouch_deliveries WHERE partition_number = ? AND delivered_at IS NULL "
      "AND number > ? ORDER BY number LIMIT ?)";
  Rows rows = session
                  .prepared(
                      "SELECT d.number, d.partition_number, d.lane, d.batch, d.first_place, "
                      "d.last_place, d.events, d.written FROM (" +
                      repeated(of_partition, wanted.size(), " UNION ALL ") +
                      ") AS waiting JOIN vouch_deliveries d ON d.number = waiting.number "
                      "ORDER BY d.number LIMIT ?")
                  .run(params);
  std::vector<Waiting> found;
  std::uint64_t events = 0;
  while (events < std::max<std::uint64_t>(max_events, 1) && rows.next()) {
    Waiting waiting;
    waiting.delivery.id = {{rows.number32(1)}, {rows.number(0)}};
    if (pending.contains(waiting.delivery.id)) continue;
    waiting.delivery.token = {{rows.number32(2)}, {rows.number(3)}, {}};
    waiting.first_place = rows.number(4);
    waiting.last_place = rows.number(5);
    waiting.delivery.events = rows.number32(6);
    waiting.delivery.written = {rows.integer(7)};
    events += waiting.delivery.events;
    found.push_back(std::move(waiting));
  }
  return found;
}

std::uint64_t MysqlLedger::give(Session& session, std::span<const Waiting> run,
                                DeliverySink& sink) {
  Rows rows = session
                  .prepared(std::string("SELECT ") + kEventColumns +
                            ", place FROM vouch_events WHERE lane = ? AND place BETWEEN ? AND ? "
                            "ORDER BY place")
                  .run({run.front().delivery.token.lane.value, run.front().first_place,
                        run.back().last_place});
  std::uint64_t bytes = 0;
  bool more = rows.next();
  for (const Waiting& waiting : run) {
    // It may have been marked since it was found.
    const bool wanted = !marks_.pending(waiting.delivery.id) && sink.delivery(waiting.delivery);
    std::uint32_t given = 0;
    for (; more && rows.number(kEventColumnCount) <= waiting.last_place; more = rows.next()) {
      ++given;
      const EventView event = event_view(rows);
      bytes += event.data.size() + event.metadata.size();
      if (wanted) sink.event(event);
    }
    if (given != waiting.delivery.events) {
      throw StatusError(
          {StatusCode::corrupt, "delivery " + std::to_string(waiting.delivery.id.number.value) +
                                    " speaks of " + std::to_string(waiting.delivery.events) +
                                    " events, the store holds " + std::to_string(given)});
    }
  }
  return bytes;
}

Status MysqlLedger::complete(std::span<const DeliveryId> deliveries) {
  if (backend_.partitions == 0) {
    return {StatusCode::failed_precondition, "the store is not migrated"};
  }
  if (!deliveries.empty()) marks_.add(deliveries);
  return {};
}

Result<std::vector<std::uint8_t>> MysqlLedger::delivered(std::span<const DeliveryId> deliveries) {
  using Answers = std::vector<std::uint8_t>;
  return backend_.run("asking for delivery marks", [&]() -> Result<Answers> {
    const std::set<DeliveryId> pending = marks_.all();
    return backend_.work.with([&](Session& session) {
      Answers answers;
      for (const DeliveryId& id : deliveries) {
        bool known = false;
        bool marked = false;
        {
          Rows rows = session
                          .prepared(
                              "SELECT partition_number, delivered_at IS NOT NULL "
                              "FROM vouch_deliveries WHERE number = ?")
                          .run({id.number.value});
          while (rows.next()) {
            known = true;
            marked = rows.number32(0) == id.partition.value &&
                     (rows.number(1) != 0 || pending.contains(id));
          }
        }
        // Asked last: a purge notes a number in the transaction that takes its row away.
        answers.push_back(known ? (marked ? 1 : 0) : (is_purged(session, id.number) ? 1 : 0));
      }
      return answers;
    });
  });
}

Result<std::vector<Backlog>> MysqlLedger::backlog() {
  if (Status status = marks_.flush(); !status.ok()) return status;
  return backend_.run("reading the backlog", [&]() -> Result<std::vector<Backlog>> {
    return backend_.work.with([&](Session& session) {
      std::vector<Backlog> all;
      for (std::uint32_t i = 0; i < backend_.partitions; ++i) {
        Backlog backlog{{i}, 0, 0, std::nullopt};
        Rows rows = session
                        .prepared(
                            "SELECT c.deliveries, c.events, d.written FROM (SELECT COUNT(*) AS "
                            "deliveries, CAST(COALESCE(SUM(events), 0) AS UNSIGNED) AS events, "
                            "MIN(number) AS oldest FROM vouch_deliveries WHERE "
                            "partition_number = ? AND delivered_at IS NULL) AS c "
                            "LEFT JOIN vouch_deliveries d ON d.number = c.oldest")
                        .run({i});
        while (rows.next()) {
          backlog.deliveries = rows.number(0);
          backlog.events = rows.number(1);
          if (!rows.null(2)) backlog.oldest = Timestamp{rows.integer(2)};
        }
        all.push_back(backlog);
      }
      return all;
    });
  });
}

Result<std::uint64_t> MysqlLedger::purge(std::chrono::seconds age, std::uint32_t limit) {
  if (Status status = marks_.flush(); !status.ok()) return status;
  return backend_.run("purging the ledger", [&]() -> Result<std::uint64_t> {
    const Timestamp before{backend_.services.clock().now().micros -
                           std::chrono::microseconds(age).count()};
    return backend_.work.with(
        [&](Session& session) { return purge_once(session, backend_.partitions, before, limit); });
  });
}

Result<std::unique_ptr<Claim>> MysqlLedger::claim(Partition partition) {
  if (partition.value >= backend_.partitions) {
    return Status(StatusCode::invalid_argument,
                  "the store has no partition " + std::to_string(partition.value));
  }
  // Whoever comes next need not publish again what is on its topics.
  return keeper_.claim(partition, [this] {
    ignore_status(marks_.flush(), "the next owner delivers what is not marked again");
  });
}

}  // namespace vouch::mysql
