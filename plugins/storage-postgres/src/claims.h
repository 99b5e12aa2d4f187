// Claims: the partitions that this host delivers, as advisory locks on one session of their own. A
// thread asks that session for a sign of life; when it is lost, all claims are, and the database
// frees the locks. A host that stands still does not give that sign: the database then ends the
// session by its own time-out. [any-thread]
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <set>
#include <thread>

#include "backend.h"
#include "vouch/ledger.h"

namespace vouch::postgres {

class Claims {
 public:
  explicit Claims(Backend& backend) : backend_(backend) {}
  Claims(const Claims&) = delete;
  Claims& operator=(const Claims&) = delete;
  ~Claims() { stop(); }

  void start();
  /// Ends the session. Idempotent.
  void stop();

  /// Errors: held, unavailable.
  Result<std::unique_ptr<Claim>> take(Partition partition);

 private:
  class HeldClaim;
  /// One life of the session; claims die with it.
  struct Life {
    std::unique_ptr<Session> session;
    std::set<Partition> held;
    std::atomic<bool> alive{true};
  };

  void keep_alive();
  void begin_life();
  void end_life();
  void release(const std::shared_ptr<Life>& life, Partition partition);

  Backend& backend_;
  std::mutex mutex_;  ///< guards what follows and the use of the session
  std::condition_variable changed_;
  std::shared_ptr<Life> life_;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace vouch::postgres
