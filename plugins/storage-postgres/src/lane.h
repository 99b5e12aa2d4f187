// PostgresLane: one session with the lane's advisory lock and at most one open transaction. A group
// whose heads are known takes one round trip to stage (BEGIN, ledger rows and events, the
// transaction's id) and one to commit. Used by one thread at a time.
//
// A group is inserted as if nobody else wrote its streams. When a unique key says otherwise, the
// group is staged again in the careful way, in which rows that don't fit are left out: that looks
// every row up in three indexes first, which costs a third more.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "backend.h"
#include "group_facts.h"
#include "native_token.h"
#include "vouch/lane.h"
#include "vouch/staging/group_plan.h"

namespace vouch::postgres {

class PostgresLane final : public Lane {
 public:
  PostgresLane(Backend& backend, LaneNumber number) : backend_(backend), number_(number) {}
  ~PostgresLane() override { rollback(); }

  /// Opens the session, takes the lock within `wait`, and commits a new incarnation. Throws
  /// StatusError (held), SqlError.
  void adopt(std::chrono::milliseconds wait);

  [[nodiscard]] LaneNumber number() const override { return number_; }
  Result<StagedGroup> stage(std::span<const Append> appends) override;
  CommitResult commit() override;
  void rollback() override;

 private:
  StagedGroup stage_on_session(std::span<const Append> appends);
  StagedGroup stage_in(std::span<const Append> appends);
  /// Ledger rows, events, and the transaction's id in one round trip. Returns which rows got in.
  std::vector<bool> insert(const staging::GroupPlan& plan, bool begun, Token& token);
  void guard(std::span<const Append> appends, const StagedGroup& group);
  std::chrono::milliseconds guard_wait();
  void repair(staging::GroupPlan& plan, const std::vector<bool>& inserted, GroupFacts& facts);
  void keep_keys(const staging::GroupPlan& plan);
  std::vector<Delivery> deliveries_of(const staging::GroupPlan& plan, const Token& token) const;

  Backend& backend_;
  const LaneNumber number_;
  std::unique_ptr<Session> session_;
  bool open_ = false;
  bool fresh_ =
      true;  ///< nothing was staged in this incarnation: known heads are of another session
  std::uint32_t careful_ = 0;          ///< so many groups more are staged in the careful way
  std::uint32_t guards_given_up_ = 0;  ///< in a row
  std::minstd_rand random_{std::random_device{}()};
  std::uint64_t batch_ = 0;
  std::int64_t place_ = 0;  ///< the last one given out
  Timestamp now_;
  std::int64_t first_place_ = 0;                ///< of the rows of the open transaction
  std::map<Partition, std::uint64_t> numbers_;  ///< ledger numbers of the open transaction
};

}  // namespace vouch::postgres
