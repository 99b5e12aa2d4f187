#include "group_facts.h"

#include <algorithm>

#include "size_classes.h"
#include "vouch/staging/stored_result.h"

namespace vouch::mysql {

namespace {

constexpr std::size_t kMostHeads = 64;
constexpr std::size_t kMostIds = 256;
constexpr std::size_t kMostKeys = 64;

/// Whether the caller knows the heads of all streams that are written and they meet what is
/// expected: then the keys decide.
bool draws_from_known_heads(const Append& append) {
  return std::ranges::all_of(append.writes, [](const Write& write) {
    return write.known_head && write.expected.met_by(*write.known_head);
  });
}

}  // namespace

GroupFacts::GroupFacts(Session& session, std::span<const Append> appends, Judging judging)
    : session_(session) {
  plan(appends, judging);
  look_up_heads();
  look_up_keys(appends);
  look_up_ids(wanted_ids_);
}

void GroupFacts::plan(std::span<const Append> appends, Judging judging) {
  for (const Append& append : appends) {
    const bool quick = judging == Judging::quick && draws_from_known_heads(append);
    for (const Write& write : append.writes) {
      if (quick) {
        heads_.try_emplace(write.stream.view(), *write.known_head);
      } else {
        want_head(write.stream.view());
      }
      for (std::size_t e = 0; e < write.events.size() && !quick; ++e) {
        // A retry repeats a whole append, so the first id of each write tells it.
        if (e == 0 || judging == Judging::exact) wanted_ids_.push_back(write.events[e].id);
      }
    }
    for (const Precondition& demand : append.preconditions) want_head(demand.stream.view());
  }
}

void GroupFacts::want_head(std::string_view stream) {
  wanted_heads_.push_back(stream);
}

void GroupFacts::look_up_heads() {
  std::ranges::sort(wanted_heads_);
  // Not std::ranges::unique: clang 14 can't read libstdc++'s subrange.
  wanted_heads_.erase(std::unique(wanted_heads_.begin(), wanted_heads_.end()), wanted_heads_.end());
  for (std::size_t from = 0; from < wanted_heads_.size();) {
    const std::size_t count = std::min(wanted_heads_.size() - from, kMostHeads);
    const std::size_t columns = holding_class(count, kMostHeads);
    std::vector<Param> params;
    for (std::size_t i = 0; i < columns; ++i) {
      params.emplace_back(wanted_heads_[from + std::min(i, count - 1)]);
    }
    // One descent of the clustered key for each; MAX(version) … GROUP BY may scan whole streams.
    Rows rows = session_
                    .prepared("SELECT " + repeated("(SELECT version FROM vouch_events WHERE "
                                                   "stream = ? ORDER BY version DESC LIMIT 1)",
                                                   columns, ", "))
                    .run(params);
    while (rows.next()) {
      for (std::size_t i = 0; i < count; ++i) {
        heads_[wanted_heads_[from + i]] = rows.null(i) ? Version{} : Version{rows.number(i)};
      }
    }
    from += count;
  }
}

void GroupFacts::look_up_keys(std::span<const Append> appends) {
  std::vector<const Idempotency*> wanted;
  for (const Append& append : appends) {
    if (append.idempotency) wanted.push_back(&*append.idempotency);
  }
  for (std::size_t from = 0; from < wanted.size();) {
    const std::size_t count = std::min(wanted.size() - from, kMostKeys);
    const std::size_t terms = holding_class(count, kMostKeys);
    std::vector<Param> params;
    for (std::size_t i = 0; i < terms; ++i) {
      const Idempotency& key = *wanted[from + std::min(i, count - 1)];
      params.emplace_back(std::string_view(key.scope));
      params.emplace_back(std::string_view(key.key));
    }
    Rows rows = session_
                    .prepared("SELECT scope, name, digest, result FROM vouch_idempotency WHERE " +
                              repeated("(scope = ? AND name = ?)", terms, " OR "))
                    .run(params);
    while (rows.next()) {
      Result<StageResult> result = staging::decode_result(rows.bytes(3));
      if (!result.ok()) throw StatusError(result.status());
      keys_[{std::string(rows.bytes(0)), std::string(rows.bytes(1))}] = {std::string(rows.bytes(2)),
                                                                         std::move(result).value()};
    }
    from += count;
  }
}

void GroupFacts::look_up_ids(std::span<const EventId> ids) {
  known_ids_.insert(ids.begin(), ids.end());
  for (std::size_t from = 0; from < ids.size();) {
    const std::size_t count = std::min(ids.size() - from, kMostIds);
    const std::size_t terms = holding_class(count, kMostIds);
    std::vector<Param> params;
    for (std::size_t i = 0; i < terms; ++i) {
      params.emplace_back(ids[from + std::min(i, count - 1)].view());
    }
    Rows rows = session_
                    .prepared(
                        "SELECT e.id, e.stream, e.version, e.type, e.content_type, e.data, "
                        "d.number, d.partition_number, d.lane, d.batch "
                        "FROM vouch_events e LEFT JOIN vouch_deliveries d "
                        "ON d.number = e.number WHERE e.id IN (" +
                        repeated("?", terms, ", ") + ")")
                    .run(params);
    while (rows.next()) {
      const auto id = EventId::from_bytes(rows.bytes(0));
      if (!id) continue;
      Found& found = found_[*id];
      found.event.stream = rows.bytes(1);
      found.event.version = {rows.number(2)};
      found.type = rows.bytes(3);
      found.content_type = rows.bytes(4);
      found.data = rows.bytes(5);
      if (rows.null(6)) continue;  // its delivery was purged
      found.event.delivery = DeliveryId{{rows.number32(7)}, {rows.number(6)}};
      found.event.token = Token{{rows.number32(8)}, {rows.number(9)}, {}};
    }
    from += count;
  }
}

Version GroupFacts::head(const StreamName& stream) {
  const auto found = heads_.find(stream.view());
  if (found == heads_.end()) {
    throw StatusError({StatusCode::internal, "a head was not looked up: " + stream.str()});
  }
  return found->second;
}

std::optional<staging::StoredKey> GroupFacts::key(const Idempotency& idempotency) {
  const auto found = keys_.find({idempotency.scope, idempotency.key});
  if (found == keys_.end()) return std::nullopt;
  return found->second;
}

bool GroupFacts::id_stored(const EventId& id, bool /*first*/) {
  return found_.contains(id);
}

std::optional<staging::StoredEvent> GroupFacts::event(const NewEvent& event) {
  if (!known_ids_.contains(event.id)) look_up_ids(std::span<const EventId>(&event.id, 1));
  const auto found = found_.find(event.id);
  if (found == found_.end()) return std::nullopt;
  staging::StoredEvent stored = found->second.event;
  stored.same_content = found->second.type == event.type &&
                        found->second.content_type == event.content_type &&
                        found->second.data == event.data;
  return stored;
}

}  // namespace vouch::mysql
