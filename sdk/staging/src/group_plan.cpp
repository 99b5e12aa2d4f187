#include "vouch/staging/group_plan.h"

#include <algorithm>
#include <cstring>
#include <set>
#include <tuple>

namespace vouch::staging {
namespace {

StageResult outcome(StageOutcome what, std::size_t failed = 0, Version actual = {}) {
  StageResult result;
  result.outcome = what;
  result.failed = static_cast<std::uint32_t>(failed);
  result.actual = actual;
  return result;
}

std::vector<EventId> ids_of(const Append& append) {
  std::vector<EventId> ids;
  for (const Write& write : append.writes) {
    for (const NewEvent& event : write.events) ids.push_back(event.id);
  }
  return ids;
}

/// The first write with an id that stands twice in the append.
std::optional<std::size_t> repeated_id(const Append& append) {
  if (append.writes.size() == 1 && append.writes[0].events.size() == 1) return std::nullopt;
  std::vector<std::pair<EventId, std::size_t>> ids;
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

Status check_appends(std::span<const Append> appends, std::uint32_t partitions) {
  const auto wrong = [](const char* what) { return Status(StatusCode::invalid_argument, what); };
  for (const Append& append : appends) {
    if (append.writes.empty()) return wrong("an append needs at least one write");
    std::set<std::string_view> streams;
    for (const Write& write : append.writes) {
      if (!StreamName::valid(write.stream.view())) return wrong("a write names an illegal stream");
      if (write.events.empty()) return wrong("a write needs at least one event");
      if (write.partition.value >= partitions) return wrong("the store has no such partition");
      if (append.writes.size() > 1 && !streams.insert(write.stream.view()).second) {
        return wrong("an append writes a stream twice");
      }
    }
  }
  return {};
}

std::size_t GroupPlan::IdHash::operator()(const EventId& id) const {
  // The last bytes of a KSUID are random.
  std::size_t hash = 0;
  std::memcpy(&hash, id.bytes.data() + EventId::kBytes - sizeof hash, sizeof hash);
  return hash;
}

GroupPlan::GroupPlan(std::span<const Append> appends, const Token& token, CommittedFacts& facts)
    : appends_(appends), token_(token), facts_(facts) {
  results_.reserve(appends.size());
  for (std::size_t i = 0; i < appends.size(); ++i) results_.push_back(judge(i));
  std::sort(rows_.begin(), rows_.end(), [](const PlannedRow& a, const PlannedRow& b) {
    return std::tie(a.partition, a.stream, a.version) < std::tie(b.partition, b.stream, b.version);
  });
}

StageResult GroupPlan::judge(std::size_t index) {
  if (auto known = known_key(index)) return std::move(*known);
  if (auto known = known_ids(index, facts_)) return std::move(*known);
  StageResult result;
  if (auto refused = draw_versions(index, result)) return std::move(*refused);
  if (auto refused = refused_precondition(index)) return std::move(*refused);
  accept(index, result);
  return result;
}

std::optional<StageResult> GroupPlan::known_key(std::size_t index) {
  const Append& append = appends_[index];
  if (!append.idempotency) return std::nullopt;
  const Idempotency& key = *append.idempotency;
  const auto own = own_keys_.find({key.scope, key.key});
  if (own != own_keys_.end()) {
    builds_on_.emplace_back(index, own->second);
    if (appends_[own->second].idempotency->digest != key.digest) {
      return outcome(StageOutcome::key_reused);
    }
    repeats_.emplace_back(index, own->second);
    return outcome(StageOutcome::duplicate);
  }
  std::optional<StoredKey> stored = facts_.key(key);
  if (!stored) return std::nullopt;
  if (stored->digest != key.digest) return outcome(StageOutcome::key_reused);
  stored->result.outcome = StageOutcome::duplicate;
  return std::move(stored->result);
}

std::optional<StageResult> GroupPlan::known_ids(std::size_t index, CommittedFacts& facts) {
  const Append& append = appends_[index];
  if (const auto failed = repeated_id(append)) return outcome(StageOutcome::id_reused, *failed);
  if (!any_id_stored(append, facts)) return std::nullopt;

  StageResult result = outcome(StageOutcome::duplicate);
  std::optional<std::size_t> taken;
  bool all_stored = true;
  for (std::size_t i = 0; i < append.writes.size(); ++i) {
    const Write& write = append.writes[i];
    std::optional<Version> first;
    for (std::size_t e = 0; e < write.events.size(); ++e) {
      const std::optional<StoredEvent> stored = find(write.events[e], index, facts);
      if (!stored) {
        all_stored = false;
        continue;
      }
      if (!taken) taken = i;
      if (e == 0) first = stored->version;
      const bool follows = first && stored->version.value == first->value + e;
      if (!follows || !stored->same_content || stored->stream != write.stream.view()) {
        all_stored = false;
      }
      const bool in_group = stored->token && *stored->token == token_;
      if (in_group) {
        wanted_.emplace_back(index, write.partition);
      } else if (stored->delivery && std::ranges::find(result.deliveries, *stored->delivery) ==
                                         result.deliveries.end()) {
        result.deliveries.push_back(*stored->delivery);
      }
      if (stored->token && result.token != token_) result.token = *stored->token;
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

bool GroupPlan::any_id_stored(const Append& append, CommittedFacts& facts) const {
  for (const Write& write : append.writes) {
    for (std::size_t e = 0; e < write.events.size(); ++e) {
      const EventId& id = write.events[e].id;
      if (own_ids_.contains(id) || facts.id_stored(id, e == 0)) return true;
    }
  }
  return false;
}

std::optional<StoredEvent> GroupPlan::find(const NewEvent& event, std::size_t index,
                                           CommittedFacts& facts) {
  const auto own = own_ids_.find(event.id);
  if (own == own_ids_.end()) return facts.event(event);
  const NewEvent& first = *own->second.event;
  const bool same = first.type == event.type && first.content_type == event.content_type &&
                    first.data == event.data;
  builds_on_.emplace_back(index, own->second.append);
  return StoredEvent{std::string(own->second.stream), own->second.version, same, token_,
                     std::nullopt};
}

/// A known head that is not the committed one is answered with lost_race, as the key on (stream,
/// version) would; looking at it here keeps versions dense whatever the caller believes.
std::optional<StageResult> GroupPlan::draw_versions(std::size_t index, StageResult& result) {
  const Append& append = appends_[index];
  result.ranges.reserve(append.writes.size());
  for (std::size_t i = 0; i < append.writes.size(); ++i) {
    const Write& write = append.writes[i];
    const std::optional<Version> own = own_head(write.stream.view(), index);
    const Version actual = own ? *own : committed_head(write.stream);
    const bool stale = !own && write.known_head && *write.known_head != actual;
    if (stale && write.expected.met_by(*write.known_head)) return outcome(StageOutcome::lost_race);
    if (!write.expected.met_by(actual)) return outcome(StageOutcome::wrong_version, i, actual);
    result.ranges.push_back({actual.next(), {actual.value + write.events.size()}});
  }
  return std::nullopt;
}

std::optional<StageResult> GroupPlan::refused_precondition(std::size_t index) {
  const Append& append = appends_[index];
  for (std::size_t i = 0; i < append.preconditions.size(); ++i) {
    const Precondition& demand = append.preconditions[i];
    const std::optional<Version> own = own_head(demand.stream.view(), index);
    const Version actual = own ? *own : committed_head(demand.stream);
    if (!demand.expected.met_by(actual)) {
      return outcome(StageOutcome::wrong_version, append.writes.size() + i, actual);
    }
  }
  return std::nullopt;
}

void GroupPlan::accept(std::size_t index, const StageResult& result) {
  const Append& append = appends_[index];
  for (std::size_t i = 0; i < append.writes.size(); ++i) {
    const Write& write = append.writes[i];
    Version version = result.ranges[i].first;
    for (const NewEvent& event : write.events) {
      rows_.push_back({write.partition, write.stream.view(), version, &event,
                       static_cast<std::uint32_t>(index)});
      own_ids_.emplace(event.id, Own{write.stream.view(), version, &event, index});
      version = version.next();
    }
    own_heads_[write.stream.view()] = {result.ranges[i].last, index};
    wanted_.emplace_back(index, write.partition);
  }
  if (append.idempotency) {
    own_keys_.emplace(std::pair<std::string_view, std::string_view>(append.idempotency->scope,
                                                                    append.idempotency->key),
                      index);
  }
}

Version GroupPlan::committed_head(const StreamName& stream) {
  const auto [found, inserted] = committed_heads_.try_emplace(stream.view());
  if (inserted) found->second = facts_.head(stream);
  return found->second;
}

std::optional<Version> GroupPlan::own_head(std::string_view stream, std::size_t index) {
  const auto found = own_heads_.find(stream);
  if (found == own_heads_.end()) return std::nullopt;
  builds_on_.emplace_back(index, found->second.second);
  return found->second.first;
}

std::vector<std::size_t> GroupPlan::withdraw(const std::vector<bool>& inserted,
                                             CommittedFacts& facts) {
  std::vector<char> out(appends_.size(), 0);
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    if (!inserted[i]) out[rows_[i].append] = 1;
  }
  // An append builds only on earlier ones, and its pairs were noted in its turn.
  std::sort(builds_on_.begin(), builds_on_.end());
  for (const auto& [append, base] : builds_on_) {
    if (out[base] != 0 && out[append] == 0) out[append] = 2;
  }
  std::vector<std::size_t> remove;
  std::vector<PlannedRow> left;
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    if (out[rows_[i].append] == 0) {
      left.push_back(rows_[i]);
    } else if (inserted[i]) {
      remove.push_back(i);
    }
  }
  rows_ = std::move(left);
  const auto gone = [&](const auto& pair) { return out[pair.first] != 0; };
  std::erase_if(wanted_, gone);
  std::erase_if(repeats_, gone);
  std::erase_if(own_keys_, [&](const auto& entry) { return out[entry.second] != 0; });
  std::erase_if(own_ids_, [&](const auto& entry) { return out[entry.second.append] != 0; });
  for (std::size_t i = 0; i < appends_.size(); ++i) {
    if (out[i] == 0) continue;
    std::optional<StageResult> known;
    if (out[i] == 1) known = known_ids(i, facts);
    results_[i] = known ? std::move(*known) : outcome(StageOutcome::lost_race);
  }
  return remove;
}

void GroupPlan::settle_token(const Token& token) {
  for (StageResult& result : results_) {
    if (result.token == token_ && result.outcome == StageOutcome::duplicate) result.token = token;
  }
  token_ = token;
}

StagedGroup GroupPlan::finish(std::vector<Delivery> deliveries) {
  std::sort(wanted_.begin(), wanted_.end());
  wanted_.erase(std::unique(wanted_.begin(), wanted_.end()), wanted_.end());
  for (const auto& [append, partition] : wanted_) {
    const auto found = std::ranges::find_if(deliveries, [partition = partition](const Delivery& d) {
      return d.id.partition == partition;
    });
    if (found != deliveries.end()) results_[append].deliveries.push_back(found->id);
  }
  for (const auto& [index, earlier] : repeats_) {
    StageResult& result = results_[index];
    result = results_[earlier];
    result.outcome = StageOutcome::duplicate;
    result.ids = ids_of(appends_[earlier]);
    result.token = token_;
  }
  return {token_, results_, std::move(deliveries)};
}

std::vector<GroupPlan::NewKey> GroupPlan::new_keys() const {
  std::vector<NewKey> keys;
  keys.reserve(own_keys_.size());
  for (const auto& [name, index] : own_keys_) {
    StageResult kept = results_[index];
    kept.ids = ids_of(appends_[index]);
    kept.token = token_;
    keys.push_back({&*appends_[index].idempotency, std::move(kept)});
  }
  return keys;
}

}  // namespace vouch::staging
