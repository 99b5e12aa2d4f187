#include "pool.h"

#include <exception>
#include <utility>

namespace vouch::mysql {

Pool::Lease::Lease(Pool& pool, std::unique_ptr<Session> session, bool reused)
    : pool_(&pool),
      session_(std::move(session)),
      reused_(reused),
      exceptions_(std::uncaught_exceptions()) {}

Pool::Lease::Lease(Lease&& other) noexcept
    : pool_(std::exchange(other.pool_, nullptr)),
      session_(std::move(other.session_)),
      reused_(other.reused_),
      exceptions_(other.exceptions_) {}

Pool::Lease::~Lease() {
  if (pool_ == nullptr) return;
  if (std::uncaught_exceptions() > exceptions_) session_.reset();
  pool_->give_back(std::move(session_));
}

void Pool::open() {
  const std::lock_guard lock(mutex_);
  usable_ = true;
}

void Pool::close() {
  std::vector<Idle> closing;
  const std::lock_guard lock(mutex_);
  usable_ = false;
  opened_ -= static_cast<std::uint32_t>(idle_.size());
  closing.swap(idle_);
  changed_.notify_all();
}

void Pool::drop_idle() {
  std::vector<Idle> closing;
  const std::lock_guard lock(mutex_);
  opened_ -= static_cast<std::uint32_t>(idle_.size());
  closing.swap(idle_);
}

Pool::Lease Pool::lease(std::chrono::milliseconds wait) {
  std::unique_lock lock(mutex_);
  const bool served = changed_.wait_for(
      lock, wait, [this] { return !usable_ || !idle_.empty() || opened_ < limit_; });
  if (!usable_) throw StatusError({StatusCode::unavailable, options_.place() + " is not open"});
  if (!served) {
    throw StatusError({StatusCode::unavailable, "all " + std::to_string(limit_) +
                                                    " sessions with " + options_.place() +
                                                    " are in use; raise the setting \"readers\""});
  }
  if (std::unique_ptr<Session> session = take_idle(lock)) {
    return {*this, std::move(session), true};
  }
  ++opened_;
  lock.unlock();
  try {
    return {*this, std::make_unique<Session>(options_, role_), false};
  } catch (...) {
    give_back(nullptr);
    throw;
  }
}

/// One that answers, or null. Pre: `lock` is held; it still is afterwards.
std::unique_ptr<Session> Pool::take_idle(std::unique_lock<std::mutex>& lock) {
  constexpr std::chrono::seconds kTrusted{1};
  while (!idle_.empty()) {
    Idle idle = std::move(idle_.back());
    idle_.pop_back();
    if (std::chrono::steady_clock::now() - idle.since < kTrusted) return std::move(idle.session);
    lock.unlock();
    const bool answers = mysql_ping(idle.session->handle()) == 0;
    if (!answers) idle.session.reset();
    lock.lock();
    if (answers) return std::move(idle.session);
    --opened_;
  }
  return nullptr;
}

void Pool::give_back(std::unique_ptr<Session> session) {
  {
    const std::lock_guard lock(mutex_);
    if (session != nullptr && usable_) {
      idle_.push_back({std::move(session), std::chrono::steady_clock::now()});
    } else {
      --opened_;
    }
  }
  changed_.notify_one();
}

}  // namespace vouch::mysql
