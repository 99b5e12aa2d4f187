// Pool: sessions of one role, opened when first needed, up to a bound. A Lease is used by one
// thread at a time and given back by destruction; the pool is for any thread.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "session.h"

namespace vouch::mysql {

class Pool {
 public:
  class Lease {
   public:
    Lease(Pool& pool, std::unique_ptr<Session> session, bool reused);
    Lease(Lease&& other) noexcept;
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    /// A session that is left because of an exception is closed rather than used again.
    ~Lease();
    Session* operator->() { return session_.get(); }
    Session& operator*() { return *session_; }
    /// Whether the session had been idle, so that the server may have ended it meanwhile.
    [[nodiscard]] bool reused() const { return reused_; }
    /// The session is closed rather than given back.
    void spoil() { session_.reset(); }

   private:
    Pool* pool_;  // null once moved from
    std::unique_ptr<Session> session_;
    bool reused_;
    int exceptions_;
  };

  Pool(const Options& options, SessionRole role, std::uint32_t limit)
      : options_(options), role_(role), limit_(limit) {}
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;
  ~Pool() = default;

  void open();
  /// Closes the idle sessions and refuses leases. Pre: none is out.
  void close();

  /// Waits at most `wait` when all are in use. A session that was idle for a second is pinged
  /// first. Throws SqlError, StatusError (unavailable).
  [[nodiscard]] Lease lease(std::chrono::milliseconds wait = kPatience);

  /// Runs `body(Session&)`; once more on a new session when an idle one turns out to be gone before
  /// it did anything. Pre: `body` may be repeated. Throws.
  template <typename Body>
  auto with(Body&& body) {
    for (;;) {
      Lease session = lease();
      try {
        return body(*session);
      } catch (const SqlError& error) {
        if (!session.reused() || !breaks_session(error)) throw;
        session.spoil();
      }
      // The others are as old.
      drop_idle();
    }
  }

 private:
  static constexpr std::chrono::milliseconds kPatience{5'000};
  void give_back(std::unique_ptr<Session> session);
  std::unique_ptr<Session> take_idle(std::unique_lock<std::mutex>& lock);
  void drop_idle();

  const Options& options_;
  const SessionRole role_;
  const std::uint32_t limit_;
  std::mutex mutex_;
  std::condition_variable changed_;
  struct Idle {
    std::unique_ptr<Session> session;
    std::chrono::steady_clock::time_point since;
  };
  std::vector<Idle> idle_;
  std::uint32_t opened_ = 0;
  bool usable_ = false;
};

}  // namespace vouch::mysql
