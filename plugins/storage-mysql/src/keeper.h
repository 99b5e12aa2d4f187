// Keeper: one session that holds the locks of claimed partitions and watches the server. Its thread
// pings every second, notices at once when the server closes the session, and connects again with
// backoff. The server ends the session `lost_host_timeout` after the last ping it got, so a claim
// is known to hold only that long. Any thread.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>

#include "backend.h"
#include "vouch/ledger.h"

namespace vouch::mysql {

class Keeper {
 public:
  explicit Keeper(Backend& backend);
  Keeper(const Keeper&) = delete;
  Keeper& operator=(const Keeper&) = delete;
  ~Keeper();

  /// Connects; then the thread takes over. Throws SqlError, StatusError.
  void start();
  /// Ends thread and session. Claims are lost. Idempotent.
  void stop();

  /// `before_release` runs when an orderly claim is given back, before its lock is.
  Result<std::unique_ptr<Claim>> claim(Partition partition, std::function<void()> before_release);

  /// What the last ping told; asks nobody.
  [[nodiscard]] Health health() const;

 private:
  class HeldClaim;
  /// A session of the keeper as its claims know it.
  struct Term {
    std::atomic<bool> lost{false};
    std::atomic<std::int64_t> good_until{0};  ///< steady clock, nanoseconds
    [[nodiscard]] bool holds() const;
  };

  void run();
  void connect();
  void ping();
  void lose(const Status& why);
  void wait(std::chrono::milliseconds most);
  bool take_lock(Partition partition);
  void release(Partition partition, const std::shared_ptr<Term>& term);
  void note(Health health);

  Backend& backend_;
  std::thread thread_;
  int wake_fd_ = -1;
  std::atomic<bool> stopping_{false};

  std::mutex mutex_;  // guards what follows; held while the session is used
  std::unique_ptr<Session> session_;
  std::shared_ptr<Term> term_;
  std::set<Partition> claimed_;

  mutable std::mutex health_mutex_;  // guards what follows; never held while waiting
  Health health_;
  std::chrono::steady_clock::time_point changed_;
};

}  // namespace vouch::mysql
