#include "pool.h"

#include <exception>

namespace vouch::postgres {

SessionPool::Lease::Lease(SessionPool& pool, std::unique_ptr<Session> session)
    : pool_(pool), session_(std::move(session)), exceptions_(std::uncaught_exceptions()) {}

SessionPool::Lease::~Lease() {
  const bool failed = std::uncaught_exceptions() > exceptions_;
  if (failed || !session_->usable()) session_.reset();
  pool_.give_back(std::move(session_));
}

void SessionPool::open() {
  const std::lock_guard lock(mutex_);
  usable_ = true;
}

void SessionPool::close() {
  std::vector<std::unique_ptr<Session>> idle;
  {
    const std::lock_guard lock(mutex_);
    usable_ = false;
    opened_ -= static_cast<std::uint32_t>(idle_.size());
    idle.swap(idle_);
  }
  changed_.notify_all();
}

SessionPool::Lease SessionPool::lease(std::chrono::milliseconds wait) {
  std::unique_lock lock(mutex_);
  const bool served = changed_.wait_for(
      lock, wait, [this] { return !usable_ || !idle_.empty() || opened_ < options_.readers; });
  if (!usable_) throw StatusError({StatusCode::unavailable, "the storage is not open"});
  if (!served) {
    throw StatusError({StatusCode::unavailable, "all " + std::to_string(opened_) +
                                                    " reading sessions are in use; raise the "
                                                    "setting \"readers\""});
  }
  if (!idle_.empty()) {
    std::unique_ptr<Session> session = std::move(idle_.back());
    idle_.pop_back();
    return {*this, std::move(session)};
  }
  ++opened_;
  lock.unlock();
  try {
    return {*this, std::make_unique<Session>(options_, "read")};
  } catch (...) {
    give_back(nullptr);
    throw;
  }
}

void SessionPool::give_back(std::unique_ptr<Session> session) {
  {
    const std::lock_guard lock(mutex_);
    if (session != nullptr && usable_) {
      idle_.push_back(std::move(session));
    } else {
      --opened_;
    }
  }
  changed_.notify_one();
}

std::uint64_t SessionPool::broken_before() const {
  const std::lock_guard lock(mutex_);
  return generation_;
}

void SessionPool::drop_idle(std::uint64_t generation) {
  std::vector<std::unique_ptr<Session>> idle;
  {
    const std::lock_guard lock(mutex_);
    if (generation != generation_) return;
    ++generation_;
    opened_ -= static_cast<std::uint32_t>(idle_.size());
    idle.swap(idle_);
  }
  changed_.notify_all();
}

}  // namespace vouch::postgres
