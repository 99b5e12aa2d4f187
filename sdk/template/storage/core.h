// Core: what storage, lane, ledger, reader and claims share. It outlives the storage object, since
// lanes and claims may. `mutex` guards everything; whoever commits holds it while the journal is
// forced to the disk, so that nobody reads what is not durable.
#pragma once

#include <atomic>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include "journal.h"
#include "state.h"
#include "vouch/host_services.h"

namespace storage_journal {

/// A lane's lock, and its open transaction.
struct Session {
  vouch::LaneNumber lane;
  vouch::BatchNumber batch;       ///< the last one given out
  std::uint64_t last_number = 0;  ///< ledger number drawn
  bool alive = true;
  std::optional<Transaction> open;
};

struct Core {
  explicit Core(vouch::HostServices& host_services) : services(host_services) {}

  vouch::HostServices& services;
  std::mutex mutex;
  std::condition_variable session_ended;
  std::unique_ptr<Journal> journal;  ///< null: not open
  State state;
  bool failed = false;  ///< the journal is in a state that only a restart can tell
  std::shared_ptr<Session> session;
  std::map<vouch::Partition, std::shared_ptr<std::atomic<bool>>> claims;

  // With the mutex held:

  /// Open, migrated or not, and not failed.
  [[nodiscard]] vouch::Status usable() const;
  [[nodiscard]] vouch::Status migrated() const;
  /// Writes an entry and applies it.
  Journal::Outcome write(std::string_view entry, bool force);
  /// A session with a new incarnation, which is durable. Pre: there is none.
  vouch::Result<std::shared_ptr<Session>> open_session(vouch::LaneNumber lane);
  void end_session(Session& ending);
};

}  // namespace storage_journal
