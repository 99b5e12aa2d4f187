#include "group_facts.h"

#include "errors.h"
#include "vouch/staging/stored_result.h"

namespace vouch::postgres {
namespace {

constexpr Sql kBegin{"begin", "BEGIN"};

constexpr Sql kHeads{
    "heads",
    "SELECT s.stream, coalesce((SELECT e.version FROM events e WHERE e.stream = s.stream "
    "ORDER BY e.version DESC LIMIT 1), 0) FROM unnest($1) AS s(stream)"};

constexpr Sql kKeys{
    "keys",
    "SELECT i.scope, i.key, i.digest, i.result FROM unnest($1, $2) AS k(scope, key) "
    "JOIN idempotency i ON i.scope = k.scope AND i.key = k.key"};

constexpr Sql kIds{"ids", "SELECT e.id FROM unnest($1) AS k(id) JOIN events e ON e.id = k.id"};

constexpr Sql kEvents{
    "events_by_id",
    "SELECT e.id, e.stream, e.version, e.type, e.content_type, e.data, d.partition, d.number, "
    "d.lane, d.batch, d.native FROM unnest($1) AS k(id) JOIN events e ON e.id = k.id "
    "LEFT JOIN deliveries d ON d.number = e.delivery WHERE NOT (e.lane = $2 AND e.place > $3)"};

}  // namespace

GroupFacts::GroupFacts(Session& session, std::span<const Append> appends, LaneNumber lane,
                       std::int64_t last_place, bool trust_known_heads)
    : session_(session), appends_(appends), lane_(lane), last_place_(last_place) {
  for (std::size_t i = 0; i < appends.size(); ++i) {
    const Append& append = appends[i];
    if (append.idempotency) keys_.push_back(&*append.idempotency);
    for (const Write& write : append.writes) {
      // Nobody is refused because of a known head: it may be stale.
      if (trust_known_heads && write.known_head && write.expected.met_by(*write.known_head)) {
        heads_.try_emplace(write.stream.view(), *write.known_head);
        continue;
      }
      streams_.insert(write.stream.view());
      first_ids_.try_emplace(write.events.front().id, i);
    }
    for (const Precondition& demand : append.preconditions) streams_.insert(demand.stream.view());
  }
}

void GroupFacts::look_up() {
  std::vector<Step> steps;
  steps.push_back({&kBegin, {}});
  if (!streams_.empty()) {
    Array streams(ArrayType::text);
    for (const std::string_view stream : streams_) streams.add(stream);
    steps.push_back({&kHeads, Parameters().array(std::move(streams))});
  }
  if (!keys_.empty()) {
    Array scopes(ArrayType::text);
    Array names(ArrayType::text);
    for (const Idempotency* key : keys_) {
      scopes.add(key->scope);
      names.add(key->key);
    }
    steps.push_back({&kKeys, Parameters().array(std::move(scopes)).array(std::move(names))});
  }
  if (!first_ids_.empty()) {
    Array ids(ArrayType::bytes);
    for (const auto& [id, append] : first_ids_) ids.add(id.view());
    steps.push_back({&kIds, Parameters().array(std::move(ids))});
  }
  const std::vector<Rows> answers = session_.run(std::move(steps));
  std::size_t at = 1;
  if (!streams_.empty()) {
    const Rows& rows = answers[at++];
    for (int row = 0; row < rows.size(); ++row) {
      // The key must live as long as the group: take the one of the appends.
      heads_[*streams_.find(rows.bytes(row, 0))] = {rows.number(row, 1)};
    }
  }
  if (!keys_.empty()) take_keys(answers[at++]);
  if (first_ids_.empty() || answers[at].empty()) return;
  std::set<std::size_t> hit;
  for (int row = 0; row < answers[at].size(); ++row) {
    const auto id = EventId::from_bytes(answers[at].bytes(row, 0));
    if (id) hit.insert(first_ids_.at(*id));
  }
  look_up_ids(std::vector<std::size_t>(hit.begin(), hit.end()));
}

void GroupFacts::take_keys(const Rows& rows) {
  for (int row = 0; row < rows.size(); ++row) {
    Result<StageResult> result = staging::decode_result(rows.bytes(row, 3));
    if (!result.ok()) throw StatusError(result.status());
    stored_keys_.insert_or_assign({rows.text(row, 0), rows.text(row, 1)},
                                  staging::StoredKey{rows.text(row, 2), *std::move(result)});
  }
}

void GroupFacts::look_up_ids(std::span<const std::size_t> appends) {
  Array ids(ArrayType::bytes);
  for (const std::size_t index : appends) {
    for (const Write& write : appends_[index].writes) {
      for (const NewEvent& event : write.events) ids.add(event.id.view());
    }
  }
  if (ids.size() == 0) return;
  const Rows rows = session_.run(
      kEvents, Parameters().array(std::move(ids)).number4(lane_.value).number8(last_place_));
  for (int row = 0; row < rows.size(); ++row) {
    const auto id = EventId::from_bytes(rows.bytes(row, 0));
    if (!id) continue;
    StoredContent stored{rows.text(row, 3), rows.text(row, 4), rows.text(row, 5), {}};
    stored.event.stream = rows.text(row, 1);
    stored.event.version = {rows.number(row, 2)};
    if (!rows.null(row, 6)) {
      stored.event.delivery = DeliveryId{{rows.number32(row, 6)}, {rows.number(row, 7)}};
      stored.event.token =
          Token{{rows.number32(row, 8)}, {rows.number(row, 9)}, rows.text(row, 10)};
    }
    stored_events_.insert_or_assign(*id, std::move(stored));
  }
}

Version GroupFacts::head(const StreamName& stream) {
  return heads_[stream.view()];
}

std::optional<staging::StoredKey> GroupFacts::key(const Idempotency& idempotency) {
  const auto found = stored_keys_.find({idempotency.scope, idempotency.key});
  if (found == stored_keys_.end()) return std::nullopt;
  return found->second;
}

bool GroupFacts::id_stored(const EventId& id, bool /*first*/) {
  return stored_events_.contains(id);
}

std::optional<staging::StoredEvent> GroupFacts::event(const NewEvent& event) {
  const auto found = stored_events_.find(event.id);
  if (found == stored_events_.end()) return std::nullopt;
  staging::StoredEvent stored = found->second.event;
  stored.same_content = found->second.type == event.type &&
                        found->second.content_type == event.content_type &&
                        found->second.data == event.data;
  return stored;
}

}  // namespace vouch::postgres
