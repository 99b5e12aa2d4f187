// RouteProgress: which deliveries of a partition one route has. Within a lane deliveries become
// visible in the order of their batches, since a lane has one open transaction; so one batch number
// a lane says it, however far the route is ahead of the others. Deliveries that were acknowledged
// out of turn are few: they belong to one round. Of the saga's thread.
#pragma once

#include <algorithm>
#include <map>
#include <set>

#include "vouch/ledger.h"

namespace vouch::saga {

class RouteProgress {
 public:
  [[nodiscard]] bool has(const Delivery& delivery) const {
    const auto lane = lanes_.find(delivery.token.lane);
    if (lane != lanes_.end() && delivery.token.batch <= lane->second) return true;
    return out_of_turn_.contains(delivery.id.number);
  }

  /// The route has it, and every earlier delivery of its lane.
  void in_turn(const Delivery& delivery) {
    BatchNumber& reached = lanes_[delivery.token.lane];
    reached = std::max(reached, delivery.token.batch);
    out_of_turn_.erase(delivery.id.number);
  }

  /// The route has it, but not every earlier delivery of its lane.
  void out_of_turn(const Delivery& delivery) { out_of_turn_.insert(delivery.id.number); }

 private:
  std::map<LaneNumber, BatchNumber> lanes_;
  std::set<LedgerNumber> out_of_turn_;
};

}  // namespace vouch::saga
