#include "journal_lane.h"

#include <stdexcept>

#include "vouch/staging/group_plan.h"
#include "vouch/staging/stored_result.h"

namespace storage_journal {

using namespace vouch;

namespace {

/// What is committed, as the plan of a group asks for it.
class Facts final : public staging::CommittedFacts {
 public:
  explicit Facts(const State& state) : state_(state) {}

  Version head(const StreamName& stream) override { return state_.head(stream.view()); }

  std::optional<staging::StoredKey> key(const Idempotency& idempotency) override {
    const auto found = state_.keys.find({idempotency.scope, idempotency.key});
    if (found == state_.keys.end()) return std::nullopt;
    Result<StageResult> result = staging::decode_result(found->second.result);
    if (!result.ok()) throw std::runtime_error(result.status().message());
    return staging::StoredKey{found->second.digest, *std::move(result)};
  }

  bool id_stored(const EventId& id, bool /*first*/) override { return state_.ids.contains(id); }

  std::optional<staging::StoredEvent> event(const NewEvent& event) override {
    const auto found = state_.ids.find(event.id);
    if (found == state_.ids.end()) return std::nullopt;
    const Event& there = found->second->event;
    staging::StoredEvent stored;
    stored.stream = there.stream.str();
    stored.version = there.version;
    stored.same_content = there.type == event.type && there.content_type == event.content_type &&
                          there.data == event.data;
    if (const LedgerRow* row = state_.row(found->second->delivery)) {
      stored.token = row->delivery.token;
      stored.delivery = row->delivery.id;
    }
    return stored;
  }

 private:
  const State& state_;
};

Event event_of(const staging::PlannedRow& row) {
  const NewEvent& from = *row.event;
  Event event;
  event.id = from.id;
  event.stream = StreamName::unchecked(std::string(row.stream));
  event.version = row.version;
  event.type = from.type;
  event.time = from.time;
  event.content_type = from.content_type;
  event.data = from.data;
  event.metadata = from.metadata;
  return event;
}

class JournalLane final : public Lane {
 public:
  JournalLane(std::shared_ptr<Core> core, std::shared_ptr<Session> session)
      : core_(std::move(core)), session_(std::move(session)), number_(session_->lane) {}
  ~JournalLane() override {
    const std::lock_guard lock(core_->mutex);
    core_->end_session(*session_);
  }

  [[nodiscard]] LaneNumber number() const override { return number_; }
  Result<StagedGroup> stage(std::span<const Append> appends) override;
  CommitResult commit() override;
  void rollback() override;

 private:
  Status reconnect();
  StagedGroup plan(std::span<const Append> appends);

  const std::shared_ptr<Core> core_;
  std::shared_ptr<Session> session_;  ///< replaced when it ended
  const LaneNumber number_;
};

Result<StagedGroup> JournalLane::stage(std::span<const Append> appends) {
  const std::lock_guard lock(core_->mutex);
  if (Status status = core_->migrated(); !status.ok()) return status;
  if (Status status = staging::check_appends(appends, core_->state.identity->partitions);
      !status.ok()) {
    return status;
  }
  if (session_->open) return Status(StatusCode::internal, "the lane has an open transaction");
  if (Status status = reconnect(); !status.ok()) return status;
  try {
    return plan(appends);
  } catch (const std::exception& error) {
    session_->open.reset();
    return Status(StatusCode::corrupt, error.what());
  }
}

/// After a fence, or when the batches or numbers of a session are used up.
Status JournalLane::reconnect() {
  constexpr std::uint64_t kLast = 0xffffff;
  const bool used_up =
      (session_->batch.value & kLast) == kLast || (session_->last_number & kLast) > kLast / 2;
  if (session_->alive && !used_up) return {};
  core_->end_session(*session_);
  if (core_->session != nullptr) {
    return {StatusCode::unavailable, "the lane's lock was lost and is held by somebody else"};
  }
  auto opened = core_->open_session(number_);
  if (!opened.ok()) return opened.status();
  session_ = *std::move(opened);
  return {};
}

StagedGroup JournalLane::plan(std::span<const Append> appends) {
  ++session_->batch.value;
  core_->state.issued[number_] = session_->batch;
  Transaction& open = session_->open.emplace();
  open.token = {number_, session_->batch, {}};
  Facts facts(core_->state);
  staging::GroupPlan plan(appends, open.token, facts);
  const Timestamp now = core_->services.clock().now();
  // Rows are sorted by partition: each has one ledger row.
  for (const staging::PlannedRow& row : plan.rows()) {
    if (open.parts.empty() || open.parts.back().delivery.id.partition != row.partition) {
      const DeliveryId id{row.partition, {++session_->last_number}};
      open.parts.push_back({{id, open.token, 0, now}, {}});
    }
    Transaction::Part& part = open.parts.back();
    ++part.delivery.events;
    part.events.push_back(event_of(row));
  }
  std::vector<Delivery> deliveries;
  for (const Transaction::Part& part : open.parts) deliveries.push_back(part.delivery);
  StagedGroup group = plan.finish(std::move(deliveries));
  for (const staging::GroupPlan::NewKey& key : plan.new_keys()) {
    open.keys.push_back({{key.idempotency->scope, key.idempotency->key},
                         {key.idempotency->digest, staging::encode_result(key.result), now}});
  }
  return group;
}

CommitResult JournalLane::commit() {
  const std::lock_guard lock(core_->mutex);
  if (!session_->open) {
    return {CommitOutcome::aborted, {StatusCode::failed_precondition, "no transaction is open"}};
  }
  const Transaction transaction = std::move(*session_->open);
  session_->open.reset();
  if (Status status = core_->usable(); !status.ok()) return {CommitOutcome::aborted, status};
  if (transaction.parts.empty() && transaction.keys.empty()) return {CommitOutcome::committed, {}};
  const auto outcome = core_->write(State::transaction_entry(transaction), true);
  switch (outcome.written) {
    case Journal::Written::yes:
      return {CommitOutcome::committed, {}};
    case Journal::Written::no:
      return {CommitOutcome::aborted, outcome.why};
    case Journal::Written::unknown:
      break;
  }
  core_->end_session(*session_);
  return {CommitOutcome::unknown, outcome.why};
}

void JournalLane::rollback() {
  const std::lock_guard lock(core_->mutex);
  session_->open.reset();
}

}  // namespace

std::unique_ptr<Lane> make_lane(std::shared_ptr<Core> core, std::shared_ptr<Session> session) {
  return std::make_unique<JournalLane>(std::move(core), std::move(session));
}

}  // namespace storage_journal
