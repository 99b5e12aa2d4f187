// MemoryLane: one session of the in-memory database. [one-at-a-time], as the contract says.
#include <chrono>
#include <mutex>
#include <utility>

#include "memory_host.h"
#include "memory_staging.h"

namespace vouch::testkit {
namespace {

class MemoryLane final : public Lane {
 public:
  MemoryLane(HostPtr host, SessionPtr session)
      : host_(std::move(host)), session_(std::move(session)), number_(session_->lane) {}
  ~MemoryLane() override {
    const std::lock_guard lock(host_->database.mutex);
    host_->database.end_session(*session_);
  }

  [[nodiscard]] LaneNumber number() const override { return number_; }
  Result<StagedGroup> stage(std::span<const Append> appends) override;
  CommitResult commit() override;
  void rollback() override;

 private:
  Status reconnect();
  CommitResult end(Fault fault);

  HostPtr host_;
  SessionPtr session_;  ///< replaced when it ended
  LaneNumber number_;
};

Result<StagedGroup> MemoryLane::stage(std::span<const Append> appends) {
  MemoryDatabase::Impl& database = host_->database;
  const Status entered = host_->enter(Step::stage);
  std::unique_lock lock(database.mutex);
  if (!entered.ok()) {
    // A session that failed is gone; the next call opens another.
    database.end_session(*session_);
    return entered;
  }
  if (session_->open) {
    return Status(StatusCode::internal, "stage was called with a transaction open");
  }
  if (Status status = reconnect(); !status.ok()) return status;
  const auto deadline = std::chrono::steady_clock::now() + host_->options.lock_timeout;
  return Staging(database, session_, lock, database.identity->partitions, deadline).run(appends);
}

Status MemoryLane::reconnect() {
  if (session_->alive) return {};
  MemoryDatabase::Impl& database = host_->database;
  if (Status status = host_->usable(); !status.ok()) return status;
  if (database.sessions.contains(number_)) {
    return {StatusCode::unavailable, "the lane's lock was lost and is held by somebody else"};
  }
  session_ = database.open_session(number_, host_.get());
  return {};
}

CommitResult MemoryLane::commit() {
  const Fault fault = host_->faults.pass(Step::commit);
  if (fault == Fault::throw_exception) throw_on_purpose(Step::commit);
  const std::lock_guard lock(host_->database.mutex);
  return end(fault);
}

CommitResult MemoryLane::end(Fault fault) {
  MemoryDatabase::Impl& database = host_->database;
  if (!session_->alive) {
    return {CommitOutcome::unknown, {StatusCode::unavailable, "the session ended"}};
  }
  if (!session_->open) {
    return {CommitOutcome::aborted, {StatusCode::internal, "no transaction is open"}};
  }
  switch (fault) {
    case Fault::fail:
      database.rollback(*session_);
      return {CommitOutcome::aborted, {StatusCode::unavailable, "told to fail the commit"}};
    case Fault::lose:
      database.commit(*session_);
      database.end_session(*session_);
      return {CommitOutcome::unknown, {StatusCode::unavailable, "told to lose the answer"}};
    case Fault::lose_and_fail:
      database.end_session(*session_);
      return {CommitOutcome::unknown, {StatusCode::unavailable, "told to lose the commit"}};
    default:
      database.commit(*session_);
      return {CommitOutcome::committed, {}};
  }
}

void MemoryLane::rollback() {
  {
    const std::lock_guard lock(host_->database.mutex);
    if (!session_->open) return;
  }
  if (host_->faults.pass(Step::rollback) == Fault::throw_exception) {
    throw_on_purpose(Step::rollback);
  }
  const std::lock_guard lock(host_->database.mutex);
  if (session_->open) host_->database.rollback(*session_);
}

}  // namespace

std::unique_ptr<Lane> make_memory_lane(HostPtr host, SessionPtr session) {
  return std::make_unique<MemoryLane>(std::move(host), std::move(session));
}

}  // namespace vouch::testkit
