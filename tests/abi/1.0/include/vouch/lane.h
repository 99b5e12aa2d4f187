// Lane: the part of the storage contract that writes. Thread tags: see storage.h.
#pragma once

#include <cstdint>
#include <span>

#include "vouch/append.h"

namespace vouch {

enum class CommitOutcome : std::uint8_t {
  committed = 0,  ///< and durable
  aborted = 1,    ///< nothing of it will ever be seen
  unknown = 2,    ///< the answer was lost: ask `Storage::resolve`
};

struct CommitResult {
  CommitOutcome outcome = CommitOutcome::unknown;
  Status reason;  ///< not ok unless committed
};

/// One database session with at most one open transaction and the lane's lock, held on that very
/// session: who gets a dead host's lane lock knows that its transaction is over.
/// [one-at-a-time] for all methods. Destruction rolls back and releases the lock.
class Lane {
 public:
  Lane() = default;
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;
  virtual ~Lane() = default;

  [[nodiscard]] virtual LaneNumber number() const = 0;

  /// Opens a transaction, inserts events and ledger rows, sorted by (partition, stream, version).
  /// A conflict of one append spares its neighbours: what does not fit is reported and leaves no
  /// trace. Appends see the ones before them in the group. Ledger numbers are drawn after the
  /// versions, inside the transaction. Nothing is visible to others yet.
  /// Pre: no transaction is open. Post: on ok, one is open (even if nothing was staged).
  /// Errors: unavailable (no transaction is open; the session reconnects by itself with a new
  /// incarnation on the next call), contended (rolled back: stage again), too_large,
  /// invalid_argument, corrupt.
  /// May block for the database's lock time-out.
  virtual Result<StagedGroup> stage(std::span<const Append> appends) = 0;

  /// Ends the open transaction. `committed` means durable. After `unknown` the session is gone and
  /// the next `stage` opens a new one.
  virtual CommitResult commit() = 0;

  /// Ends the open transaction, if there is one, without a trace. Never fails loudly: a session
  /// that can't roll back is closed, which has the same effect.
  virtual void rollback() = 0;
};

enum class Verdict : std::uint8_t {
  committed = 0,    ///< visible and durable
  in_progress = 1,  ///< neither yet: ask again
  aborted = 2,      ///< never was visible and never will be
  forgotten = 3,  ///< purged from the ledger (delivered, or aborted, long ago), or never given out
};

}  // namespace vouch
