// PostgresLedger: what must still be published. Each call is one or a few short statements on a
// session of the pool. [any-thread]
#pragma once

#include "backend.h"
#include "claims.h"
#include "recent_marks.h"
#include "vouch/ledger.h"

namespace vouch::postgres {

class PostgresLedger final : public Ledger {
 public:
  explicit PostgresLedger(Backend& backend) : backend_(backend), claims_(backend) {}

  void start() { claims_.start(); }
  void stop() { claims_.stop(); }

  Status ready(std::span<const Partition> partitions, LedgerNumber after, std::uint32_t max_events,
               DeliverySink& sink) override;
  Status complete(std::span<const DeliveryId> deliveries) override;
  Result<std::vector<std::uint8_t>> delivered(std::span<const DeliveryId> deliveries) override;
  Result<std::vector<Backlog>> backlog() override;
  Result<std::uint64_t> purge(std::chrono::seconds age, std::uint32_t limit) override;
  Result<std::unique_ptr<Claim>> claim(Partition partition) override {
    return claims_.take(partition);
  }

 private:
  /// Throws SqlError.
  void mark(std::vector<DeliveryId> deliveries);

  Backend& backend_;
  Claims claims_;
  RecentMarks recent_;
};

}  // namespace vouch::postgres
