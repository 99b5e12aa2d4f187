#include "lane.h"

#include <algorithm>

namespace vouch::sqlite {

namespace {

/// Marks that ride along with a group: many times what a group can add, few enough to cost it
/// about a millisecond.
constexpr std::size_t kCarriedMarks = 500;

std::uint64_t bytes_of(const NewEvent& event) {
  return event.data.size() + event.metadata.size() + event.type.size() + event.content_type.size() +
         StreamName::kMaxBytes + EventId::kBytes;
}

}  // namespace

SqliteLane::SqliteLane(Backend& backend, LaneNumber number, std::function<void()> on_close)
    : backend_(backend), number_(number), on_close_(std::move(on_close)) {}

SqliteLane::~SqliteLane() {
  on_close_();
  rollback();
}

void SqliteLane::adopt() {
  const auto transaction = backend_.writer.begin(backend_.options.busy_timeout);
  std::uint64_t incarnation = 0;
  try {
    Rows rows = transaction->sql().raise_incarnation.run(number_.value);
    while (rows.next()) incarnation = rows.number(0);
  } catch (const SqlError& error) {
    transaction->failed(error);
    throw;
  }
  // Read before the commit gives the turn back: another one's failure may drop the session then.
  const std::uint64_t generation = backend_.writer.generation();
  const CommitReport report = transaction->commit();
  if (!report.status.ok()) throw StatusError(report.status);
  batch_ = {incarnation << 32U};
  backend_.tokens.issued(number_, batch_);
  generation_ = generation;
}

Status SqliteLane::check(std::span<const Append> appends) const {
  constexpr std::uint64_t kLargestRow = 1'000'000'000;  // SQLITE_MAX_LENGTH
  for (const Append& append : appends) {
    for (const Write& write : append.writes) {
      for (const NewEvent& event : write.events) {
        if (bytes_of(event) <= kLargestRow) continue;
        return {StatusCode::too_large, "an event of " + std::to_string(bytes_of(event)) +
                                           " bytes; SQLite keeps rows of up to 1,000,000,000"};
      }
    }
  }
  return staging::check_appends(appends, backend_.partitions);
}

Result<StagedGroup> SqliteLane::stage(std::span<const Append> appends) {
  const std::lock_guard lock(mutex_);
  if (transaction_ != nullptr) {
    return Status(StatusCode::failed_precondition, "the lane has an open transaction");
  }
  if (Status status = check(appends); !status.ok()) return status;
  ended_ = {};
  return backend_.run("staging", [&]() -> Result<StagedGroup> {
    try {
      return stage_once(appends, IdCheck::first_of_write);
    } catch (const SqlError& error) {
      if (error.code() != SQLITE_CONSTRAINT) throw;
    }
    return stage_once(appends, IdCheck::all);
  });
}

StagedGroup SqliteLane::stage_once(std::span<const Append> appends, IdCheck check) {
  constexpr std::uint64_t kLastOfIncarnation = 0xffffffffU;
  const bool used_up = (batch_.value & kLastOfIncarnation) == kLastOfIncarnation;
  if (generation_ != backend_.writer.generation() || used_up) adopt();
  auto transaction = backend_.writer.begin(backend_.options.busy_timeout);
  // The session may have been reopened by this very `begin`; the number is good all the same, for
  // it rises within an incarnation that was committed.
  batch_.value += 1;
  backend_.tokens.open(number_, batch_);
  try {
    const Token token{number_, batch_, {}};
    Stager stager(transaction->sql(), appends, token, backend_.services.clock().now(), check);
    StagedGroup group = stager.run();
    transaction->carry_marks(kCarriedMarks);
    for (const Delivery& delivery : group.deliveries) {
      transaction->will_add(delivery.id.partition, delivery.events);
    }
    transaction_ = std::move(transaction);
    return group;
  } catch (const SqlError& error) {
    transaction->failed(error);
    transaction->rollback();
    backend_.tokens.close(number_, batch_);
    throw;
  } catch (...) {
    transaction->rollback();
    backend_.tokens.close(number_, batch_);
    throw;
  }
}

CommitResult SqliteLane::commit() {
  const std::lock_guard lock(mutex_);
  if (transaction_ == nullptr) {
    Status why = ended_.ok() ? Status(StatusCode::failed_precondition, "no transaction is open")
                             : std::move(ended_);
    ended_ = {};
    return {CommitOutcome::aborted, std::move(why)};
  }
  const CommitReport report = transaction_->commit();
  transaction_.reset();
  if (report.status.ok()) {
    backend_.tokens.close(number_, batch_);
    return {CommitOutcome::committed, {}};
  }
  return settle(report);
}

/// Finds out what became of a COMMIT that failed.
CommitResult SqliteLane::settle(const CommitReport& report) {
  if (report.in_doubt) backend_.tokens.doubt(number_, batch_);
  bool committed = false;
  const Status asked = backend_.run("asking for the outcome of a failed commit", [&]() -> Status {
    if (report.in_doubt) backend_.writer.seal(number_, backend_.options.busy_timeout);
    committed = backend_.recorded(number_, batch_);
    return {};
  });
  if (!asked.ok() && report.in_doubt &&
      backend_.tokens.state(number_, batch_) == OpenTokens::State::doubtful) {
    return {CommitOutcome::unknown, report.status};
  }
  backend_.tokens.close(number_, batch_);
  if (!asked.ok()) return {CommitOutcome::unknown, report.status};
  if (committed) return {CommitOutcome::committed, {}};
  return {CommitOutcome::aborted, report.status};
}

void SqliteLane::rollback() {
  const std::lock_guard lock(mutex_);
  ended_ = {};
  drop_transaction();
}

void SqliteLane::fence(BatchNumber batch) {
  const std::lock_guard lock(mutex_);
  if (transaction_ == nullptr || batch_ != batch) return;
  drop_transaction();
  ended_ = Status(StatusCode::cancelled, "the transaction was fenced");
}

void SqliteLane::drop_transaction() {
  if (transaction_ == nullptr) return;
  transaction_->rollback();
  transaction_.reset();
  backend_.tokens.close(number_, batch_);
}

}  // namespace vouch::sqlite
