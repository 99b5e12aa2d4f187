// Completion: a delivery is complete when every route has it; then it is marked in the ledger.
// Marks are written together, and kept for the next time when they can't be written. Of the saga's
// thread.
//
//   the process dies …              then
//   before the last route has it    the row is unmarked: the next owner gives it to every route
//   again between the last and the mark   the same after the mark                  delivered
#pragma once

#include <vector>

#include "delivered_waiters.h"
#include "partition_table.h"
#include "written_events.h"

namespace vouch::saga {

class Completion {
 public:
  Completion(std::size_t routes, const SagaOptions& options, Storage& storage,
             PartitionTable& partitions, DeliveredWaiters& waiters, WrittenEvents& written,
             HostServices& services);

  /// One more route has it; `others`: how many of the other routes had it before.
  void add(const Delivery& delivery, std::size_t others);

  /// Whether some route is ahead of another in that partition.
  [[nodiscard]] bool uneven(Partition partition) const { return incomplete_[partition.value] > 0; }
  /// The partition has a new owner; what the routes have is forgotten.
  void forget(Partition partition) { incomplete_[partition.value] = 0; }

  /// Writes the marks of what is complete.
  Status flush();

 private:
  const std::size_t routes_;
  Storage& storage_;
  PartitionTable& partitions_;
  DeliveredWaiters& waiters_;
  WrittenEvents& written_;
  HostServices& services_;
  Histogram& lag_seconds_;
  std::vector<std::uint64_t> incomplete_;  ///< by partition: deliveries that some routes have
  std::vector<DeliveryId> unmarked_;       ///< complete, and the mark not written yet
};

}  // namespace vouch::saga
