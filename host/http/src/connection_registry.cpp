#include "connection_registry.h"

#include <sys/socket.h>

namespace vouch::http {

void ConnectionRegistry::add(int descriptor) {
  const std::lock_guard lock(mutex_);
  idle_[descriptor] = false;
  gauge_.set(static_cast<double>(idle_.size()));
}

void ConnectionRegistry::remove(int descriptor) {
  {
    const std::lock_guard lock(mutex_);
    idle_.erase(descriptor);
    gauge_.set(static_cast<double>(idle_.size()));
  }
  changed_.notify_all();
}

bool ConnectionRegistry::set_idle(int descriptor) {
  const std::lock_guard lock(mutex_);
  idle_[descriptor] = true;
  return !stopping_;
}

void ConnectionRegistry::set_busy(int descriptor) {
  const std::lock_guard lock(mutex_);
  idle_[descriptor] = false;
}

std::size_t ConnectionRegistry::count() const {
  const std::lock_guard lock(mutex_);
  return idle_.size();
}

void ConnectionRegistry::end_idle() {
  const std::lock_guard lock(mutex_);
  stopping_ = true;
  for (const auto& [descriptor, idle] : idle_) {
    if (idle) ::shutdown(descriptor, SHUT_RD);
  }
}

bool ConnectionRegistry::wait_empty(std::chrono::steady_clock::time_point deadline) {
  std::unique_lock lock(mutex_);
  return changed_.wait_until(lock, deadline, [this] { return idle_.empty(); });
}

void ConnectionRegistry::cut() {
  const std::lock_guard lock(mutex_);
  for (const auto& [descriptor, idle] : idle_) ::shutdown(descriptor, SHUT_RDWR);
}

}  // namespace vouch::http
