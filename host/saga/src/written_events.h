// WrittenEvents: what this host's own transactions wrote, kept until it is delivered, so that it
// need not be read back. The ledger says which deliveries are committed, and in which order; only
// the content comes from here. It is the same to the byte: a committed transaction holds what was
// staged, and storages keep bytes as they are. Bounded: what finds no room is read from the
// database. [any-thread]
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "vouch/append.h"
#include "vouch/event.h"

namespace vouch::saga {

/// The events of one delivery, a stream's in version order.
struct WrittenDelivery {
  std::shared_ptr<const std::vector<Append>> appends;  ///< what `events` views
  std::vector<EventView> events;
  std::uint64_t bytes = 0;
};

class WrittenEvents {
 public:
  explicit WrittenEvents(std::uint64_t most_bytes) : most_bytes_(most_bytes) {}

  /// Of a committed transaction. Pre: `staged` has a result for each append.
  void keep(std::vector<Append> appends, const StagedGroup& staged);
  /// Null when it is not here, or when the ledger counts otherwise.
  [[nodiscard]] std::shared_ptr<const WrittenDelivery> find(const Delivery& delivery) const;
  void forget(const DeliveryId& delivery);

 private:
  const std::uint64_t most_bytes_;
  mutable std::mutex mutex_;
  std::map<DeliveryId, std::shared_ptr<const WrittenDelivery>> kept_;
  std::deque<DeliveryId> order_;  ///< oldest first; some are forgotten already
  std::uint64_t bytes_ = 0;
};

}  // namespace vouch::saga
