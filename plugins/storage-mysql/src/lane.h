// MysqlLane: a session with the lane's lock, and at most one open transaction on it. Whoever gets
// the lock of a dead host knows that the server has ended its session, and so its transaction. One
// thread at a time; `fence` works through another session.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>

#include "backend.h"
#include "stager.h"
#include "vouch/storage.h"

namespace vouch::mysql {

class MysqlLane final : public Lane {
 public:
  MysqlLane(Backend& backend, LaneNumber number) : backend_(backend), number_(number) {}
  ~MysqlLane() override { rollback(); }

  /// Connects, takes the lane's lock, lists the lane with a new incarnation and commits that.
  /// Throws SqlError, StatusError (held).
  void open(std::chrono::milliseconds wait);

  [[nodiscard]] LaneNumber number() const override { return number_; }
  Result<StagedGroup> stage(std::span<const Append> appends) override;
  CommitResult commit() override;
  void rollback() override;

 private:
  [[nodiscard]] Status check(std::span<const Append> appends) const;
  StagedGroup stage_on_session(std::span<const Append> appends);
  StagedGroup stage_once(std::span<const Append> appends, Judging judging);
  void take_lock(Session& session, std::chrono::milliseconds wait);
  void adopt(Session& session);
  void end_transaction(Session& session);

  Backend& backend_;
  const LaneNumber number_;
  std::unique_ptr<Session> session_;  ///< null: to be opened by the next `stage`
  std::uint64_t last_session_ = 0;    ///< the server's number of the session before
  bool open_ = false;                 ///< a transaction is
  BatchNumber batch_;                 ///< of the transaction at hand, or of the last one
  std::uint64_t next_place_ = 0;
  std::uint32_t exact_groups_ = 0;  ///< groups to be judged in the exact mode at once
};

}  // namespace vouch::mysql
