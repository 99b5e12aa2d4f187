// SqliteLane: a lane is the writer's turn from `stage` until `commit` or `rollback`. The host
// serialises the contract's calls; `fence` comes from any thread, so the lane has a mutex.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>

#include "backend.h"
#include "stager.h"
#include "vouch/storage.h"

namespace vouch::sqlite {

class SqliteLane final : public Lane {
 public:
  /// `on_close` is called by the destructor, before the transaction is rolled back.
  SqliteLane(Backend& backend, LaneNumber number, std::function<void()> on_close);
  ~SqliteLane() override;

  /// Raises the incarnation and commits that. Throws.
  void adopt();

  [[nodiscard]] LaneNumber number() const override { return number_; }
  Result<StagedGroup> stage(std::span<const Append> appends) override;
  CommitResult commit() override;
  void rollback() override;

  /// Rolls the transaction back if it is the one with that number. [any-thread]
  void fence(BatchNumber batch);

 private:
  [[nodiscard]] Status check(std::span<const Append> appends) const;
  StagedGroup stage_once(std::span<const Append> appends, IdCheck check);
  CommitResult settle(const CommitReport& report);
  void drop_transaction();

  Backend& backend_;
  const LaneNumber number_;
  const std::function<void()> on_close_;

  std::mutex mutex_;  // guards what follows
  std::unique_ptr<WriteTransaction> transaction_;
  BatchNumber batch_;             // of the transaction at hand, or of the last one
  std::uint64_t generation_ = 0;  // of the session for which the incarnation was raised
  Status ended_;                  // why a transaction was ended by `fence`
};

}  // namespace vouch::sqlite
