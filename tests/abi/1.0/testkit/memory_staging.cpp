// Staging of a group; see the header for the locking rule. The order of checks for an append: what
// was stored before, then who else is writing the same, then versions.
#include "memory_staging.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace vouch::testkit {
namespace {

StageResult outcome(StageOutcome what, std::size_t failed = 0, Version actual = {}) {
  StageResult result;
  result.outcome = what;
  result.failed = static_cast<std::uint32_t>(failed);
  result.actual = actual;
  return result;
}

KeyName name_of(const Idempotency& idempotency) {
  return {idempotency.scope, idempotency.key};
}

std::vector<EventId> ids_of(const Append& append) {
  std::vector<EventId> ids;
  for (const Write& write : append.writes) {
    for (const NewEvent& event : write.events) ids.push_back(event.id);
  }
  return ids;
}

std::vector<DeliveryId> deliveries_of(const std::vector<RecordPtr>& records) {
  std::vector<DeliveryId> deliveries;
  for (const RecordPtr& record : records) deliveries.push_back(record->delivery);
  std::sort(deliveries.begin(), deliveries.end());
  deliveries.erase(std::unique(deliveries.begin(), deliveries.end()), deliveries.end());
  return deliveries;
}

}  // namespace

Staging::Staging(MemoryDatabase::Impl& database, SessionPtr session,
                 std::unique_lock<std::mutex>& lock, std::uint32_t partitions,
                 std::chrono::steady_clock::time_point deadline)
    : database_(database),
      session_(std::move(session)),
      lock_(lock),
      partitions_(partitions),
      deadline_(deadline) {}

Result<StagedGroup> Staging::run(std::span<const Append> appends) {
  for (const Append& append : appends) {
    if (Status status = validate(append); !status.ok()) return status;
  }
  database_.begin(*session_);
  StagedGroup group;
  group.token = transaction().token;
  std::vector<Source> sources(appends.size());
  group.results.resize(appends.size());
  for (std::size_t i = 0; i < appends.size(); ++i) {
    const Status status = stage_one(appends[i], group.results[i], sources[i]);
    if (!status.ok()) {
      if (session_->alive) database_.rollback(*session_);
      return status;
    }
  }
  draw_numbers();
  for (std::size_t i = 0; i < appends.size(); ++i) {
    finish(appends[i], group.results[i], sources[i]);
  }
  for (const LedgerRow& row : transaction().rows) group.deliveries.push_back(row.delivery);
  return group;
}

Status Staging::validate(const Append& append) const {
  const auto wrong = [](const char* what) { return Status(StatusCode::invalid_argument, what); };
  if (append.writes.empty()) return wrong("an append needs at least one write");
  std::set<std::string_view> streams;
  for (const Write& write : append.writes) {
    if (!StreamName::valid(write.stream.view())) return wrong("a write names an illegal stream");
    if (write.events.empty()) return wrong("a write needs at least one event");
    if (!streams.insert(write.stream.view()).second) {
      return wrong("an append writes a stream twice");
    }
    if (write.partition.value >= partitions_) return wrong("the store has no such partition");
    const Version head = own_head(write.stream.str()).value_or(database_.head(write.stream.str()));
    if (write.known_head && *write.known_head > head) {
      return wrong("the known head lies behind the stream's end: it was never committed");
    }
  }
  return {};
}

Status Staging::stage_one(const Append& append, StageResult& result, Source& source) {
  Bases bases(append.writes.size());
  for (;;) {
    std::optional<Blocker> blocker = identity_blocker(append);
    if (!blocker) {
      if (auto known = stored_before(append, source)) {
        result = std::move(*known);
        return {};
      }
      if (auto refused = draw_bases(append, bases)) {
        result = std::move(*refused);
        return {};
      }
      blocker = stream_blocker(append);
    }
    if (!blocker) break;
    if (Status status = wait_for(*blocker); !status.ok()) return status;
  }
  if (auto refused = check_preconditions(append)) {
    result = std::move(*refused);
    return {};
  }
  write(append, bases, result, source);
  return {};
}

std::optional<StageResult> Staging::stored_before(const Append& append, Source& source) {
  if (auto known = by_key(append, source)) return known;
  return by_ids(append, source);
}

std::optional<StageResult> Staging::by_key(const Append& append, Source& source) {
  if (!append.idempotency) return std::nullopt;
  const KeyName name = name_of(*append.idempotency);
  if (const auto own = transaction().keys.find(name); own != transaction().keys.end()) {
    if (own->second.digest != append.idempotency->digest) return outcome(StageOutcome::key_reused);
    source.own_key = name;
    return outcome(StageOutcome::duplicate);
  }
  const auto found = database_.keys.find(name);
  if (found == database_.keys.end()) return std::nullopt;
  const KeyRow& row = found->second;
  if (row.digest != append.idempotency->digest) return outcome(StageOutcome::key_reused);
  StageResult result = outcome(StageOutcome::duplicate);
  result.ranges = row.ranges;
  result.ids = row.ids;
  result.token = row.token;
  result.deliveries = row.deliveries;
  return result;
}

std::optional<StageResult> Staging::by_ids(const Append& append, Source& source) {
  std::set<EventId> seen;
  std::optional<std::size_t> taken;  // the first write with an id that is not free
  bool all_stored = true;
  StageResult result = outcome(StageOutcome::duplicate);
  std::vector<RecordPtr> records;
  for (std::size_t w = 0; w < append.writes.size(); ++w) {
    const Write& write = append.writes[w];
    std::optional<Version> previous;
    VersionRange range;
    for (const NewEvent& event : write.events) {
      if (!seen.insert(event.id).second) return outcome(StageOutcome::id_reused, w);
      const RecordPtr record = find(event.id);
      if (!record) {
        all_stored = false;
        continue;
      }
      if (!taken) taken = w;
      const Version version = record->event.version;
      const bool follows = !previous || version == previous->next();
      const Event& first = record->event;
      const bool same = first.stream == write.stream && first.type == event.type &&
                        first.content_type == event.content_type && first.data == event.data;
      if (!same || !follows) all_stored = false;
      if (!previous) range.first = version;
      range.last = version;
      previous = version;
      records.push_back(record);
    }
    result.ranges.push_back(range);
  }
  if (!taken) return std::nullopt;
  if (!all_stored) return outcome(StageOutcome::id_reused, *taken);
  result.ids = ids_of(append);
  source.records = std::move(records);
  return result;
}

/// Bases are drawn once: a head that moved while this append waited is a race lost, not a reason to
/// take later versions in a transaction that others may be ordered behind.
std::optional<StageResult> Staging::draw_bases(const Append& append, Bases& bases) {
  for (std::size_t i = 0; i < append.writes.size(); ++i) {
    const Write& write = append.writes[i];
    const Version committed = database_.head(write.stream.str());
    const std::optional<Version> own = own_head(write.stream.str());
    if (!bases[i]) {
      Version base = own.value_or(write.known_head.value_or(committed));
      if (!write.expected.met_by(base) && !own) base = committed;
      if (!write.expected.met_by(base)) return outcome(StageOutcome::wrong_version, i, base);
      bases[i] = base;
    }
    if (!own && *bases[i] < committed) return outcome(StageOutcome::lost_race);
  }
  return std::nullopt;
}

std::optional<StageResult> Staging::check_preconditions(const Append& append) {
  for (std::size_t i = 0; i < append.preconditions.size(); ++i) {
    const Precondition& demand = append.preconditions[i];
    const Version head =
        own_head(demand.stream.str()).value_or(database_.head(demand.stream.str()));
    if (!demand.expected.met_by(head)) {
      return outcome(StageOutcome::wrong_version, append.writes.size() + i, head);
    }
  }
  return std::nullopt;
}

template <typename Holds>
std::optional<Staging::Blocker> Staging::blocker_where(Holds holds) const {
  for (const auto& [lane, session] : database_.sessions) {
    if (session == session_ || !session->open || !holds(*session->open)) continue;
    return Blocker{session, session->open->token};
  }
  return std::nullopt;
}

std::optional<Staging::Blocker> Staging::identity_blocker(const Append& append) const {
  return blocker_where([&](const Transaction& other) {
    if (append.idempotency && other.keys.contains(name_of(*append.idempotency))) return true;
    const std::vector<EventId> ids = ids_of(append);
    return std::any_of(ids.begin(), ids.end(),
                       [&](const EventId& id) { return other.ids.contains(id); });
  });
}

std::optional<Staging::Blocker> Staging::stream_blocker(const Append& append) const {
  return blocker_where([&](const Transaction& other) {
    for (const Write& write : append.writes) {
      const std::string& stream = write.stream.str();
      if (other.streams.contains(stream) || other.guarded.contains(stream)) return true;
    }
    for (const Precondition& demand : append.preconditions) {
      if (other.streams.contains(demand.stream.str())) return true;
    }
    return false;
  });
}

Status Staging::wait_for(const Blocker& blocker) {
  session_->waits_for = blocker.session.get();
  const auto over = [&] {
    const Session& other = *blocker.session;
    return !session_->alive || !other.open || other.open->token != blocker.token;
  };
  const bool deadlock = deadlocked();
  const bool ended = !deadlock && database_.ended.wait_until(lock_, deadline_, over);
  session_->waits_for = nullptr;
  if (!session_->alive) return {StatusCode::unavailable, "the session ended while it waited"};
  if (deadlock) return {StatusCode::contended, "deadlock with another lane, rolled back"};
  if (!ended) return {StatusCode::contended, "lock time-out, rolled back"};
  return {};
}

bool Staging::deadlocked() const {
  const Session* next = session_->waits_for;
  while (next != nullptr && next != session_.get()) next = next->waits_for;
  return next == session_.get();
}

void Staging::write(const Append& append, const Bases& bases, StageResult& result, Source& source) {
  Transaction& open = transaction();
  result = outcome(StageOutcome::staged);
  for (std::size_t i = 0; i < append.writes.size(); ++i) {
    const Write& from = append.writes[i];
    std::vector<RecordPtr>& stream = open.streams[from.stream.str()];
    Version version = *bases[i];
    result.ranges.push_back({version.next(), {version.value + from.events.size()}});
    for (const NewEvent& event : from.events) {
      version = version.next();
      auto record = std::make_shared<Record>();
      record->event = Event(EventView{event.id, from.stream.view(), version, event.type, event.time,
                                      event.content_type, event.data, event.metadata});
      record->partition = from.partition;
      record->token = open.token;
      stream.push_back(record);
      open.ids.emplace(event.id, record);
      open.records.push_back(record);
      source.records.push_back(std::move(record));
    }
  }
  for (const Precondition& demand : append.preconditions) open.guarded.insert(demand.stream.str());
  if (append.idempotency) {
    open.keys[name_of(*append.idempotency)] = {
        append.idempotency->digest, result.ranges, ids_of(append), open.token, {}, wall_now()};
  }
}

void Staging::draw_numbers() {
  Transaction& open = transaction();
  const auto place = [](const RecordPtr& record) {
    return std::tuple(record->partition, record->event.stream.view(), record->event.version);
  };
  std::sort(open.records.begin(), open.records.end(),
            [&](const RecordPtr& a, const RecordPtr& b) { return place(a) < place(b); });
  for (const RecordPtr& record : open.records) {
    if (open.rows.empty() || open.rows.back().delivery.id.partition != record->partition) {
      LedgerRow row;
      row.delivery.id = {record->partition, {++database_.last_number}};
      row.delivery.token = open.token;
      row.delivery.written = wall_now();
      open.rows.push_back(std::move(row));
    }
    LedgerRow& row = open.rows.back();
    record->delivery = row.delivery.id;
    row.records.push_back(record);
    ++row.delivery.events;
  }
}

void Staging::finish(const Append& append, StageResult& result, const Source& source) {
  if (source.own_key) {
    const KeyRow& row = transaction().keys.at(*source.own_key);
    result.ranges = row.ranges;
    result.ids = row.ids;
    result.token = row.token;
    result.deliveries = row.deliveries;
    return;
  }
  if (source.records.empty()) return;
  result.deliveries = deliveries_of(source.records);
  if (result.outcome == StageOutcome::duplicate) {
    result.token = source.records.back()->token;
  } else if (append.idempotency) {
    transaction().keys.at(name_of(*append.idempotency)).deliveries = result.deliveries;
  }
}

RecordPtr Staging::find(const EventId& id) const {
  const Transaction& open = *session_->open;
  if (const auto own = open.ids.find(id); own != open.ids.end()) return own->second;
  const auto found = database_.ids.find(id);
  return found == database_.ids.end() ? nullptr : found->second;
}

std::optional<Version> Staging::own_head(const std::string& stream) const {
  if (!session_->open) return std::nullopt;
  const auto found = session_->open->streams.find(stream);
  if (found == session_->open->streams.end()) return std::nullopt;
  return found->second.back()->event.version;
}

}  // namespace vouch::testkit
