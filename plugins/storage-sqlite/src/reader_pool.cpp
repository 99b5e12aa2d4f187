#include "reader_pool.h"

#include <exception>

#include "errors.h"

namespace vouch::sqlite {

ReaderPool::Lease::Lease(ReaderPool& pool, std::unique_ptr<ReadSession> session)
    : pool_(&pool), session_(std::move(session)), exceptions_(std::uncaught_exceptions()) {}

ReaderPool::Lease::~Lease() {
  if (session_ == nullptr) return;
  if (std::uncaught_exceptions() > exceptions_) session_.reset();
  pool_->give_back(std::move(session_));
}

void ReaderPool::open() {
  const std::lock_guard lock(mutex_);
  usable_ = true;
}

void ReaderPool::close() {
  const std::lock_guard lock(mutex_);
  usable_ = false;
  opened_ -= static_cast<std::uint32_t>(idle_.size());
  idle_.clear();
  changed_.notify_all();
}

ReaderPool::Lease ReaderPool::lease(std::chrono::milliseconds wait) {
  std::unique_lock lock(mutex_);
  const bool served = changed_.wait_for(
      lock, wait, [this] { return !usable_ || !idle_.empty() || opened_ < options_.readers; });
  if (!usable_) throw StatusError({StatusCode::unavailable, options_.path + " is not open"});
  if (!served) {
    throw StatusError({StatusCode::unavailable, "all " + std::to_string(opened_) +
                                                    " reading sessions are in use; raise the "
                                                    "setting \"readers\""});
  }
  if (!idle_.empty()) {
    std::unique_ptr<ReadSession> session = std::move(idle_.back());
    idle_.pop_back();
    return {*this, std::move(session)};
  }
  ++opened_;
  lock.unlock();
  try {
    return {*this, std::make_unique<ReadSession>(options_)};
  } catch (...) {
    give_back(nullptr);
    throw;
  }
}

void ReaderPool::give_back(std::unique_ptr<ReadSession> session) {
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

}  // namespace vouch::sqlite
