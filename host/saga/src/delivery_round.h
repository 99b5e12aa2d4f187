// DeliveryRound: load what is ready, publish it, mark it. One round at a time, and the next begins
// only when every message of this one is acknowledged or given up: so what goes out of a partition
// goes out in ledger order.
//
//   the process dies …           then
//   before the publish           the rows are still unmarked: the next owner loads them
//   between publish and mark     the same: they are published again (at least once)
//   after the mark               delivered
//
// Of the saga's thread.
#pragma once

#include <atomic>
#include <vector>

#include "delivered_waiters.h"
#include "partition_table.h"
#include "saga/saga.h"
#include "signal_book.h"
#include "written_events.h"

namespace vouch::saga {

class DeliveryRound {
 public:
  DeliveryRound(const SagaOptions& options, Storage& storage, const std::vector<Route>& routes,
                PartitionTable& partitions, SignalBook& signals, DeliveredWaiters& waiters,
                WrittenEvents& written, HostServices& services, const std::atomic<bool>& give_up);

  /// One round over these partitions. Partitions with more to do, or with a failure, are due again.
  void run(const std::vector<Partition>& due);

 private:
  class Load;

  Status mark_delivered();
  void settle(Load& load);
  void fail_all(const std::vector<Partition>& partitions, const Status& why);

  const SagaOptions& options_;
  Storage& storage_;
  const std::vector<Route>& routes_;
  PartitionTable& partitions_;
  SignalBook& signals_;
  DeliveredWaiters& waiters_;
  WrittenEvents& written_;
  HostServices& services_;
  const std::atomic<bool>& give_up_;  ///< stop waiting for acknowledgements
  Counter& read_back_;
  Histogram& round_events_;
  Histogram& publish_seconds_;
  Histogram& lag_seconds_;
  std::uint32_t max_events_;          ///< lowered while a broker's buffer is too small
  std::vector<DeliveryId> unmarked_;  ///< delivered, and the mark not written yet
};

}  // namespace vouch::saga
