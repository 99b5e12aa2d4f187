#include "delivered_waiters.h"

#include <algorithm>

namespace vouch::saga {
namespace {
constexpr std::size_t kRemembered = 65'536;
constexpr std::chrono::milliseconds kAskPause{50};
}  // namespace

void DeliveredWaiters::delivered(const std::vector<DeliveryId>& deliveries) {
  {
    const std::lock_guard lock(mutex_);
    for (const DeliveryId& delivery : deliveries) {
      if (recent_.insert(delivery).second) order_.push_back(delivery);
    }
    while (order_.size() > kRemembered) {
      recent_.erase(order_.front());
      order_.pop_front();
    }
  }
  changed_.notify_all();
}

bool DeliveredWaiters::wait(std::vector<DeliveryId> deliveries,
                            std::chrono::steady_clock::time_point deadline) {
  std::unique_lock lock(mutex_);
  while (!remove_known(deliveries)) {
    const auto now = std::chrono::steady_clock::now();
    const bool told = changed_.wait_until(lock, std::min(deadline, now + kAskPause)) ==
                      std::cv_status::no_timeout;
    if (told) continue;
    lock.unlock();
    const bool all_marked = remove_marked(deliveries);
    lock.lock();
    if (all_marked) return true;
    if (std::chrono::steady_clock::now() >= deadline) return remove_known(deliveries);
  }
  return true;
}

/// Pre: the mutex is held. True when none is left.
bool DeliveredWaiters::remove_known(std::vector<DeliveryId>& deliveries) {
  std::erase_if(deliveries, [&](const DeliveryId& id) { return recent_.contains(id); });
  return deliveries.empty();
}

bool DeliveredWaiters::remove_marked(std::vector<DeliveryId>& deliveries) {
  const Result<std::vector<std::uint8_t>> marked = storage_.ledger().delivered(deliveries);
  if (!marked.ok() || marked->size() != deliveries.size()) return false;
  std::vector<DeliveryId> left;
  for (std::size_t i = 0; i < deliveries.size(); ++i) {
    if ((*marked)[i] == 0) left.push_back(deliveries[i]);
  }
  deliveries = std::move(left);
  return deliveries.empty();
}

}  // namespace vouch::saga
