#include "stager.h"

#include <algorithm>
#include <cstring>
#include <tuple>

#include "stored_result.h"

namespace vouch::sqlite {

namespace {

StageResult outcome(StageOutcome what, std::size_t failed = 0, Version actual = {}) {
  StageResult result;
  result.outcome = what;
  result.failed = static_cast<std::uint32_t>(failed);
  result.actual = actual;
  return result;
}

std::size_t event_count(const Append& append) {
  std::size_t count = 0;
  for (const Write& write : append.writes) count += write.events.size();
  return count;
}

std::vector<EventId> ids_of(const Append& append) {
  std::vector<EventId> ids;
  ids.reserve(event_count(append));
  for (const Write& write : append.writes) {
    for (const NewEvent& event : write.events) ids.push_back(event.id);
  }
  return ids;
}

/// The first write with an id that stands twice in the append.
std::optional<std::size_t> repeated_id(const Append& append) {
  std::vector<std::pair<EventId, std::size_t>> ids;
  ids.reserve(event_count(append));
  for (std::size_t i = 0; i < append.writes.size(); ++i) {
    for (const NewEvent& event : append.writes[i].events) ids.emplace_back(event.id, i);
  }
  std::sort(ids.begin(), ids.end());
  const auto twice = std::adjacent_find(
      ids.begin(), ids.end(), [](const auto& a, const auto& b) { return a.first == b.first; });
  if (twice == ids.end()) return std::nullopt;
  return std::next(twice)->second;
}

}  // namespace

std::size_t Stager::IdHash::operator()(const EventId& id) const {
  // The last bytes of a KSUID are random.
  std::size_t hash = 0;
  std::memcpy(&hash, id.bytes.data() + EventId::kBytes - sizeof hash, sizeof hash);
  return hash;
}

Stager::Stager(WriteStatements& sql, std::span<const Append> appends, const Token& token,
               Timestamp now, IdCheck check)
    : sql_(sql), appends_(appends), token_(token), now_(now), check_(check) {}

StagedGroup Stager::run() {
  StagedGroup group;
  group.token = token_;
  group.results.reserve(appends_.size());
  for (std::size_t i = 0; i < appends_.size(); ++i) {
    group.results.push_back(judge(appends_[i], i));
  }
  insert_rows(group.deliveries);
  tell_deliveries(group);
  keep_keys(group);
  return group;
}

StageResult Stager::judge(const Append& append, std::size_t index) {
  if (auto known = known_key(append, index)) return std::move(*known);
  if (auto known = known_ids(append, index)) return std::move(*known);
  StageResult result;
  if (auto refused = draw_versions(append, result)) return std::move(*refused);
  if (auto refused = refused_precondition(append)) return std::move(*refused);
  accept(append, index, result);
  return result;
}

std::optional<StageResult> Stager::known_key(const Append& append, std::size_t index) {
  if (!append.idempotency) return std::nullopt;
  const Idempotency& key = *append.idempotency;
  const auto own = own_keys_.find({key.scope, key.key});
  if (own != own_keys_.end()) {
    if (appends_[own->second].idempotency->digest != key.digest) {
      return outcome(StageOutcome::key_reused);
    }
    repeats_.emplace_back(index, own->second);
    return outcome(StageOutcome::duplicate);
  }
  Rows rows = sql_.key.run(std::string_view(key.scope), std::string_view(key.key));
  if (!rows.next()) return std::nullopt;
  if (rows.bytes(0) != key.digest) return outcome(StageOutcome::key_reused);
  return decode_result(rows.bytes(1));
}

std::optional<StageResult> Stager::known_ids(const Append& append, std::size_t index) {
  if (event_count(append) > 1) {
    if (const auto failed = repeated_id(append)) return outcome(StageOutcome::id_reused, *failed);
  }
  if (!any_id_stored(append)) return std::nullopt;

  StageResult result = outcome(StageOutcome::duplicate);
  found_range_ = {1, 0};
  std::optional<std::size_t> taken;
  bool all_stored = true;
  for (std::size_t i = 0; i < append.writes.size(); ++i) {
    const Write& write = append.writes[i];
    std::optional<Version> first;
    for (std::size_t e = 0; e < write.events.size(); ++e) {
      const std::optional<Place> place = find(write.events[e]);
      if (!place) {
        all_stored = false;
        continue;
      }
      if (!taken) taken = i;
      if (e == 0) first = place->version;
      const bool follows = first && place->version.value == first->value + e;
      const bool same = place->same_content && place->stream == write.stream.view();
      if (!follows || !same) all_stored = false;
      if (place->seq) {
        add_first_time(*place->seq, result);
      } else {
        wanted_.emplace_back(index, write.partition.value);
        result.token = token_;
      }
    }
    if (first) result.ranges.push_back({*first, {first->value + write.events.size() - 1}});
  }
  if (!all_stored) {
    std::erase_if(wanted_, [index](const auto& want) { return want.first == index; });
    return outcome(StageOutcome::id_reused, taken.value_or(0));
  }
  result.ids = ids_of(append);
  return result;
}

bool Stager::any_id_stored(const Append& append) {
  for (const Write& write : append.writes) {
    for (std::size_t e = 0; e < write.events.size(); ++e) {
      const EventId& id = write.events[e].id;
      if (own_ids_.contains(id)) return true;
      if (e > 0 && check_ == IdCheck::first_of_write) continue;
      if (sql_.event_by_id.run(Blob{id.view()}).next()) return true;
    }
  }
  return false;
}

/// A known head that is not the committed one is answered with lost_race, as the key on (stream,
/// version) would; looking at it here keeps versions dense whatever the caller believes.
std::optional<StageResult> Stager::draw_versions(const Append& append, StageResult& result) {
  result.ranges.reserve(append.writes.size());
  for (std::size_t i = 0; i < append.writes.size(); ++i) {
    const Write& write = append.writes[i];
    const std::string_view stream = write.stream.view();
    const std::optional<Version> own = own_head(stream);
    const Version actual = own ? *own : committed_head(stream);
    const bool stale = !own && write.known_head && *write.known_head != actual;
    if (stale && write.expected.met_by(*write.known_head)) return outcome(StageOutcome::lost_race);
    if (!write.expected.met_by(actual)) return outcome(StageOutcome::wrong_version, i, actual);
    result.ranges.push_back({actual.next(), {actual.value + write.events.size()}});
  }
  return std::nullopt;
}

std::optional<StageResult> Stager::refused_precondition(const Append& append) {
  for (std::size_t i = 0; i < append.preconditions.size(); ++i) {
    const Precondition& demand = append.preconditions[i];
    const std::optional<Version> own = own_head(demand.stream.view());
    const Version actual = own ? *own : committed_head(demand.stream.view());
    if (!demand.expected.met_by(actual)) {
      return outcome(StageOutcome::wrong_version, append.writes.size() + i, actual);
    }
  }
  return std::nullopt;
}

void Stager::accept(const Append& append, std::size_t index, const StageResult& result) {
  for (std::size_t i = 0; i < append.writes.size(); ++i) {
    const Write& write = append.writes[i];
    Version version = result.ranges[i].first;
    for (const NewEvent& event : write.events) {
      rows_.push_back({write.partition.value, write.stream.view(), version.value, &event});
      own_ids_.emplace(event.id, Own{write.stream.view(), version, &event});
      version = version.next();
    }
    own_heads_[write.stream.view()] = result.ranges[i].last;
    wanted_.emplace_back(index, write.partition.value);
  }
  if (append.idempotency) {
    own_keys_.emplace(std::pair<std::string_view, std::string_view>(append.idempotency->scope,
                                                                    append.idempotency->key),
                      index);
  }
}

std::optional<Stager::Place> Stager::find(const NewEvent& event) {
  if (const auto own = own_ids_.find(event.id); own != own_ids_.end()) {
    const NewEvent& first = *own->second.event;
    const bool same = first.type == event.type && first.content_type == event.content_type &&
                      first.data == event.data;
    return Place{std::string(own->second.stream), own->second.version, std::nullopt, same};
  }
  Rows rows = sql_.event_by_id.run(Blob{event.id.view()});
  if (!rows.next()) return std::nullopt;
  const bool same = rows.bytes(3) == event.type && rows.bytes(4) == event.content_type &&
                    rows.bytes(5) == event.data;
  return Place{std::string(rows.bytes(1)), {rows.number(2)}, rows.number(0), same};
}

/// Adds the delivery that holds `seq`, found by bisection, since numbers and seqs rise together.
/// A purged delivery is told by nothing: token (0, 0) then, which resolves as forgotten.
void Stager::add_first_time(std::uint64_t seq, StageResult& result) {
  if (seq >= found_range_.first && seq <= found_range_.second) return;
  std::uint64_t low = 1;
  std::uint64_t high = 0;
  {
    Rows last = sql_.last_delivery.run();
    if (last.next()) high = last.number(0);
  }
  while (low <= high) {
    const std::uint64_t middle = low + (high - low) / 2;
    Rows rows = sql_.delivery_from.run(middle);
    if (!rows.next() || rows.number(4) > seq) {
      high = middle - 1;
    } else if (rows.number(5) < seq) {
      low = rows.number(0) + 1;
    } else {
      found_range_ = {rows.number(4), rows.number(5)};
      const DeliveryId id{{rows.number32(1)}, {rows.number(0)}};
      if (std::ranges::find(result.deliveries, id) == result.deliveries.end()) {
        result.deliveries.push_back(id);
      }
      if (result.token != token_) result.token = {{rows.number32(2)}, {rows.number(3)}, {}};
      return;
    }
  }
}

Version Stager::committed_head(std::string_view stream) {
  const auto [found, inserted] = committed_heads_.try_emplace(stream);
  if (inserted) {
    Rows rows = sql_.head.run(stream);
    if (rows.next()) found->second = {rows.number(0)};
  }
  return found->second;
}

std::optional<Version> Stager::own_head(std::string_view stream) const {
  const auto found = own_heads_.find(stream);
  if (found == own_heads_.end()) return std::nullopt;
  return found->second;
}

void Stager::insert_rows(std::vector<Delivery>& deliveries) {
  std::sort(rows_.begin(), rows_.end(), [](const Row& a, const Row& b) {
    return std::tie(a.partition, a.stream, a.version) < std::tie(b.partition, b.stream, b.version);
  });
  std::uint64_t first = 0;
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    const Row& row = rows_[i];
    const NewEvent& event = *row.event;
    sql_.insert_event.execute(row.stream, row.version, Blob{event.id.view()},
                              std::string_view(event.type), event.time.micros,
                              std::string_view(event.content_type), Blob{event.data},
                              Blob{event.metadata});
    const auto seq = static_cast<std::uint64_t>(sqlite3_last_insert_rowid(sql_.handle));
    if (first == 0) first = seq;
    if (i + 1 == rows_.size() || rows_[i + 1].partition != row.partition) {
      insert_delivery(row.partition, first, seq, deliveries);
      first = 0;
    }
  }
}

void Stager::insert_delivery(std::uint32_t partition, std::uint64_t first, std::uint64_t last,
                             std::vector<Delivery>& deliveries) {
  sql_.insert_delivery.execute(partition, token_.lane.value, token_.batch.value, first, last,
                               now_.micros);
  const auto number = static_cast<std::uint64_t>(sqlite3_last_insert_rowid(sql_.handle));
  deliveries.push_back(
      {{{partition}, {number}}, token_, static_cast<std::uint32_t>(last - first + 1), now_});
}

void Stager::tell_deliveries(StagedGroup& group) {
  std::sort(wanted_.begin(), wanted_.end());
  wanted_.erase(std::unique(wanted_.begin(), wanted_.end()), wanted_.end());
  for (const auto& want : wanted_) {
    const auto found = std::ranges::find_if(group.deliveries, [&](const Delivery& delivery) {
      return delivery.id.partition.value == want.second;
    });
    if (found != group.deliveries.end()) group.results[want.first].deliveries.push_back(found->id);
  }
}

void Stager::keep_keys(StagedGroup& group) {
  for (const auto& [name, index] : own_keys_) {
    StageResult kept = group.results[index];
    kept.ids = ids_of(appends_[index]);
    kept.token = token_;
    const std::string bytes = encode_result(kept);
    sql_.insert_key.execute(name.first, name.second, Blob{appends_[index].idempotency->digest},
                            Blob{bytes}, now_.micros);
  }
  for (const auto& [index, earlier] : repeats_) {
    StageResult& result = group.results[index];
    result = group.results[earlier];
    result.outcome = StageOutcome::duplicate;
    result.ids = ids_of(appends_[earlier]);
    result.token = token_;
  }
}

}  // namespace vouch::sqlite
