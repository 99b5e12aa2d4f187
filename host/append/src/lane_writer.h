// LaneWriter: one lane at work. Takes what waits, writes it in one transaction, publishes to the
// validation topic inside the open transaction, commits, answers. `write` reads as the picture of
// the flow in the README; nothing may reorder its steps:
//
//   the process dies …          then
//   before `stage` ends         nothing was visible; the database rolls back
//   before the publish          the same; nobody was told
//   between publish and commit  the saga asks, finds the transaction aborted, drops the message
//   after commit                the ledger row is there; the saga or the sweep delivers it; the
//   client
//                               that got no answer repeats (ids and keys make that safe)
//
// Everything runs on the lane's thread.
#pragma once

#include <atomic>
#include <optional>
#include <vector>

#include "append/append_service.h"
#include "append_metrics.h"
#include "append_queue.h"
#include "head_caches.h"

namespace vouch::append {

/// What the lanes of a service share. Outlives them.
struct LaneEnvironment {
  const AppendOptions& options;
  Storage& storage;
  Broker& broker;
  TransactionListener& listener;
  HostServices& services;
  AppendMetrics& metrics;
  EventIds& ids;
  AppendQueue& queue;
  HeadCaches& heads;
  const std::atomic<bool>& give_up;  ///< stop waiting for what may never come
};

class LaneWriter {
 public:
  LaneWriter(LaneEnvironment environment, std::unique_ptr<Lane> lane);

  /// Until the queue is closed and empty, or `give_up`.
  void run();

 private:
  void write(Group group);

  void prepare(Group& group);
  Result<StagedGroup> stage(Group& group);
  Status publish(const StagedGroup& staged);
  CommitResult commit(const Token& token);
  std::optional<CommitOutcome> ask_for_outcome(const Token& token);

  void answer_all(Group& group, AppendCode code, const Status& reason);
  void answer_results(Group& group, const StagedGroup& staged);
  void answer_uncommitted(Group& group, const StagedGroup& staged, AppendCode code,
                          const Status& reason);
  void write_one_by_one(Group group, const Status& reason);
  void forget_heads(const Group& group);
  void follow_incarnation(const Token& token);
  AppendAnswer answer_of(const Append& append, const StageResult& result, const Token& token);
  void remember_heads(const Append& append, const StageResult& result);
  void finish(Ticket& ticket, AppendAnswer answer);

  LaneEnvironment env_;
  std::unique_ptr<Lane> lane_;
  std::uint64_t incarnation_ = 0;       ///< of the lane, as its last token said
  std::uint64_t heads_generation_ = 0;  ///< of what the open transaction teaches about heads
};

}  // namespace vouch::append
