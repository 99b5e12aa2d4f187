#include "stager.h"

#include <algorithm>
#include <set>
#include <string>

#include "size_classes.h"
#include "vouch/staging/stored_result.h"

namespace vouch::mysql {

namespace {

constexpr std::size_t kMostEvents = 512;
constexpr std::size_t kMostDeliveries = 64;

/// An id that no event has: of the last second that an id can tell, and a place that is used once.
EventId guard_id(LaneNumber lane, std::uint64_t place) {
  EventId id;
  id.bytes.fill(0xff);
  for (std::size_t i = 0; i < 4; ++i) {
    id.bytes[8 + i] = static_cast<std::uint8_t>(lane.value >> (24 - 8 * i));
  }
  for (std::size_t i = 0; i < 8; ++i) {
    id.bytes[12 + i] = static_cast<std::uint8_t>(place >> (56 - 8 * i));
  }
  return id;
}

}  // namespace

std::uint64_t bytes_of(const NewEvent& event) {
  constexpr std::uint64_t kRest = 128;  // id, numbers, lengths
  return event.data.size() + event.metadata.size() + event.type.size() + event.content_type.size() +
         StreamName::kMaxBytes + kRest;
}

StagedGroup Stager::run(std::span<const Append> appends, Judging judging) {
  GroupFacts facts(session_, appends, judging);
  staging::GroupPlan plan(appends, token_, facts);
  guard_preconditions(appends, plan.rows(), facts);
  std::vector<Delivery> deliveries = insert_deliveries(plan.rows());
  insert_events(plan.rows(), deliveries);
  StagedGroup group = plan.finish(std::move(deliveries));
  insert_keys(plan);
  return group;
}

/// Nobody may write a stream that an append only looked at until the transaction is over: a row in
/// the place of its next event, taken out again at once, keeps that place locked.
void Stager::guard_preconditions(std::span<const Append> appends,
                                 std::span<const staging::PlannedRow> rows, GroupFacts& facts) {
  std::set<StreamName> guarded;
  for (const staging::PlannedRow& row : rows) {
    for (const Precondition& demand : appends[row.append].preconditions) {
      guarded.insert(demand.stream);
    }
  }
  // Its own rows guard a stream that the group writes.
  for (const staging::PlannedRow& row : rows) {
    if (guarded.empty()) return;
    guarded.erase(StreamName::unchecked(std::string(row.stream)));
  }
  for (const StreamName& stream : guarded) {
    const std::uint64_t version = facts.head(stream).next().value;
    const EventId id = guard_id(token_.lane, place_);
    session_
        .prepared(
            "INSERT INTO vouch_events (stream, version, id, lane, place, number, time, type, "
            "content_type, data, metadata) VALUES (?,?,?,?,?,0,0,'','','','')")
        .execute({stream.view(), version, id.view(), token_.lane.value, place_});
    session_.prepared("DELETE FROM vouch_events WHERE stream = ? AND version = ?")
        .execute({stream.view(), version});
    ++place_;
  }
}

std::vector<Delivery> Stager::insert_deliveries(std::span<const staging::PlannedRow> rows) {
  struct Range {
    std::uint32_t partition;
    std::uint64_t first;
    std::uint32_t events;
  };
  std::vector<Range> ranges;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::uint32_t partition = rows[i].partition.value;
    if (ranges.empty() || ranges.back().partition != partition) {
      ranges.push_back({partition, place_ + i, 0});
    }
    ++ranges.back().events;
  }
  std::vector<Delivery> deliveries;
  deliveries.reserve(ranges.size());
  for (std::size_t from = 0; from < ranges.size();) {
    const std::size_t count = full_class(ranges.size() - from, kMostDeliveries);
    std::vector<Param> params;
    params.reserve(count * 7);
    for (std::size_t i = from; i < from + count; ++i) {
      const Range& range = ranges[i];
      params.insert(params.end(),
                    {range.partition, token_.lane.value, token_.batch.value, range.first,
                     range.first + range.events - 1, range.events, now_.micros});
    }
    Statement& insert = session_.prepared(
        "INSERT INTO vouch_deliveries (partition_number, lane, batch, first_place, last_place, "
        "events, written) VALUES " +
        repeated("(?,?,?,?,?,?,?)", count, ","));
    insert.execute(params);
    // Rows of one statement whose number is known beforehand get numbers in a row:
    // https://dev.mysql.com/doc/refman/8.0/en/innodb-auto-increment-handling.html
    std::uint64_t number = insert.first_drawn();
    for (std::size_t i = from; i < from + count; ++i, ++number) {
      deliveries.push_back({{{ranges[i].partition}, {number}}, token_, ranges[i].events, now_});
    }
    from += count;
  }
  return deliveries;
}

void Stager::insert_events(std::span<const staging::PlannedRow> rows,
                           std::span<const Delivery> deliveries) {
  // Room for what is not counted.
  const std::uint64_t most_bytes = max_packet_ - max_packet_ / 8;
  auto delivery = deliveries.begin();
  for (std::size_t from = 0; from < rows.size();) {
    std::size_t fit = 0;
    for (std::uint64_t bytes = 0; from + fit < rows.size() && fit < kMostEvents; ++fit) {
      bytes += bytes_of(*rows[from + fit].event);
      if (fit > 0 && bytes > most_bytes) break;
    }
    const std::size_t count = full_class(fit, kMostEvents);
    std::vector<Param> params;
    params.reserve(count * 11);
    for (std::size_t i = from; i < from + count; ++i) {
      const staging::PlannedRow& row = rows[i];
      while (delivery->id.partition != row.partition) ++delivery;
      const NewEvent& event = *row.event;
      params.insert(params.end(),
                    {row.stream, row.version.value, event.id.view(), token_.lane.value, place_++,
                     delivery->id.number.value, event.time.micros, std::string_view(event.type),
                     std::string_view(event.content_type), std::string_view(event.data),
                     std::string_view(event.metadata)});
    }
    session_
        .prepared(
            "INSERT INTO vouch_events (stream, version, id, lane, place, number, time, type, "
            "content_type, data, metadata) VALUES " +
            repeated("(?,?,?,?,?,?,?,?,?,?,?)", count, ","))
        .execute(params);
    from += count;
  }
}

void Stager::insert_keys(const staging::GroupPlan& plan) {
  for (const staging::GroupPlan::NewKey& key : plan.new_keys()) {
    const std::string result = staging::encode_result(key.result);
    session_
        .prepared(
            "INSERT INTO vouch_idempotency (scope, name, digest, result, written) "
            "VALUES (?,?,?,?,?)")
        .execute({std::string_view(key.idempotency->scope), std::string_view(key.idempotency->key),
                  std::string_view(key.idempotency->digest), std::string_view(result),
                  now_.micros});
  }
}

}  // namespace vouch::mysql
