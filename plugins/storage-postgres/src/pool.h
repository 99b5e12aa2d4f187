// SessionPool: sessions for reading, resolving and the ledger. A session is opened when none is
// idle, and given up after an error that may have broken it, so that a lost connection costs one
// answer. [any-thread]
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "errors.h"
#include "session.h"

namespace vouch::postgres {

class SessionPool {
 public:
  explicit SessionPool(const Options& options) : options_(options) {}
  SessionPool(const SessionPool&) = delete;
  SessionPool& operator=(const SessionPool&) = delete;

  /// The right to use a session; gives it back at its end, or closes it when an exception ended the
  /// use or the connection was lost.
  class Lease {
   public:
    Lease(SessionPool& pool, std::unique_ptr<Session> session);
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    ~Lease();
    Session* operator->() const { return session_.get(); }
    Session& operator*() const { return *session_; }

   private:
    SessionPool& pool_;
    std::unique_ptr<Session> session_;
    int exceptions_;
  };

  void open();
  /// Ends idle sessions; leases that are out end theirs.
  void close();

  /// Throws StatusError (unavailable: not open, or none came free within `wait`), SqlError.
  Lease lease(std::chrono::milliseconds wait = std::chrono::seconds(10));

  /// Runs `body(Session&)` on a session that was idle, and again on a new one if that one's
  /// connection turns out to be lost. For statements that may run twice.
  template <typename Body>
  auto read(Body&& body) -> decltype(body(std::declval<Session&>())) {
    for (int attempt = 0;; ++attempt) {
      const std::uint64_t broken = broken_before();
      try {
        const Lease session = lease();
        return body(*session);
      } catch (const SqlError& error) {
        if (attempt > 0 || !breaks_session(error)) throw;
      }
      drop_idle(broken);
    }
  }

 private:
  void give_back(std::unique_ptr<Session> session);
  std::uint64_t broken_before() const;
  /// When one session is lost the others most likely are too.
  void drop_idle(std::uint64_t generation);

  const Options& options_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool usable_ = false;
  std::uint32_t opened_ = 0;
  std::uint64_t generation_ = 0;
  std::vector<std::unique_ptr<Session>> idle_;
};

}  // namespace vouch::postgres
