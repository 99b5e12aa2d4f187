#include "stager.h"

#include "errors.h"
#include "vouch/staging/stored_result.h"

namespace vouch::sqlite {

StagedGroup Stager::run() {
  staging::GroupPlan plan(appends_, token_, *this);
  StagedGroup group = plan.finish(insert_rows(plan.rows()));
  keep_keys(plan);
  return group;
}

Version Stager::head(const StreamName& stream) {
  Rows rows = sql_.head.run(stream.view());
  return rows.next() ? Version{rows.number(0)} : Version{};
}

std::optional<staging::StoredKey> Stager::key(const Idempotency& idempotency) {
  Rows rows = sql_.key.run(std::string_view(idempotency.scope), std::string_view(idempotency.key));
  if (!rows.next()) return std::nullopt;
  Result<StageResult> result = staging::decode_result(rows.bytes(1));
  if (!result.ok()) throw StatusError(result.status());
  return staging::StoredKey{std::string(rows.bytes(0)), *std::move(result)};
}

bool Stager::id_stored(const EventId& id, bool first) {
  if (!first && check_ == IdCheck::first_of_write) return false;
  return sql_.event_by_id.run(Blob{id.view()}).next();
}

std::optional<staging::StoredEvent> Stager::event(const NewEvent& event) {
  staging::StoredEvent stored;
  std::uint64_t seq = 0;
  {
    Rows rows = sql_.event_by_id.run(Blob{event.id.view()});
    if (!rows.next()) return std::nullopt;
    seq = rows.number(0);
    stored.stream = rows.bytes(1);
    stored.version = {rows.number(2)};
    stored.same_content = rows.bytes(3) == event.type && rows.bytes(4) == event.content_type &&
                          rows.bytes(5) == event.data;
  }
  tell_first_time(seq, stored);
  return stored;
}

/// Adds the delivery that holds `seq`, found by bisection, since numbers and seqs rise together.
/// A purged delivery is told by nothing.
void Stager::tell_first_time(std::uint64_t seq, staging::StoredEvent& stored) {
  if (seq < found_.first || seq > found_.last) {
    std::uint64_t low = 1;
    std::uint64_t high = 0;
    {
      Rows last = sql_.last_delivery.run();
      if (last.next()) high = last.number(0);
    }
    bool hit = false;
    while (low <= high && !hit) {
      const std::uint64_t middle = low + (high - low) / 2;
      Rows rows = sql_.delivery_from.run(middle);
      if (!rows.next() || rows.number(4) > seq) {
        high = middle - 1;
      } else if (rows.number(5) < seq) {
        low = rows.number(0) + 1;
      } else {
        found_ = {rows.number(4),
                  rows.number(5),
                  {{rows.number32(1)}, {rows.number(0)}},
                  {{rows.number32(2)}, {rows.number(3)}, {}}};
        hit = true;
      }
    }
    if (!hit) return;
  }
  stored.delivery = found_.delivery;
  stored.token = found_.token;
}

std::vector<Delivery> Stager::insert_rows(std::span<const staging::PlannedRow> rows) {
  std::vector<Delivery> deliveries;
  std::uint64_t first = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const staging::PlannedRow& row = rows[i];
    const NewEvent& event = *row.event;
    sql_.insert_event.execute(row.stream, row.version.value, Blob{event.id.view()},
                              std::string_view(event.type), event.time.micros,
                              std::string_view(event.content_type), Blob{event.data},
                              Blob{event.metadata});
    const auto seq = static_cast<std::uint64_t>(sqlite3_last_insert_rowid(sql_.handle));
    if (first == 0) first = seq;
    if (i + 1 == rows.size() || rows[i + 1].partition != row.partition) {
      deliveries.push_back(insert_delivery(row.partition, first, seq));
      first = 0;
    }
  }
  return deliveries;
}

Delivery Stager::insert_delivery(Partition partition, std::uint64_t first, std::uint64_t last) {
  sql_.insert_delivery.execute(partition.value, token_.lane.value, token_.batch.value, first, last,
                               now_.micros);
  const auto number = static_cast<std::uint64_t>(sqlite3_last_insert_rowid(sql_.handle));
  return {{partition, {number}}, token_, static_cast<std::uint32_t>(last - first + 1), now_};
}

void Stager::keep_keys(const staging::GroupPlan& plan) {
  for (const staging::GroupPlan::NewKey& key : plan.new_keys()) {
    const std::string bytes = staging::encode_result(key.result);
    sql_.insert_key.execute(std::string_view(key.idempotency->scope),
                            std::string_view(key.idempotency->key), Blob{key.idempotency->digest},
                            Blob{bytes}, now_.micros);
  }
}

}  // namespace vouch::sqlite
