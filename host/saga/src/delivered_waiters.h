// DeliveredWaiters: requests that wait until their events are on the outbound topics. What this
// host delivers is told at once; for what another host delivers the ledger is asked now and then.
// [any-thread]
#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <set>
#include <vector>

#include "vouch/storage.h"

namespace vouch::saga {

class DeliveredWaiters {
 public:
  explicit DeliveredWaiters(Storage& storage) : storage_(storage) {}

  void delivered(const std::vector<DeliveryId>& deliveries);

  /// False when the deadline passed first.
  bool wait(std::vector<DeliveryId> deliveries, std::chrono::steady_clock::time_point deadline);

 private:
  bool remove_known(std::vector<DeliveryId>& deliveries);
  bool remove_marked(std::vector<DeliveryId>& deliveries);

  Storage& storage_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::set<DeliveryId> recent_;
  std::deque<DeliveryId> order_;
};

}  // namespace vouch::saga
