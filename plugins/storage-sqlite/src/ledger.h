// SqliteLedger: what is committed and not delivered, in number order. Marks live in memory until a
// transaction carries them. Any thread.
#pragma once

#include <functional>
#include <mutex>
#include <set>
#include <vector>

#include "backend.h"
#include "vouch/storage.h"

namespace vouch::sqlite {

class SqliteLedger final : public Ledger {
 public:
  /// `marked` is called when marks became pending.
  SqliteLedger(Backend& backend, std::function<void()> marked)
      : backend_(backend), marked_(std::move(marked)) {}
  SqliteLedger(const SqliteLedger&) = delete;
  SqliteLedger& operator=(const SqliteLedger&) = delete;
  ~SqliteLedger() = default;

  /// Counts what is undelivered. Throws. [startup]
  void count(std::uint32_t partitions);

  Status ready(std::span<const Partition> partitions, LedgerNumber after, std::uint32_t max_events,
               DeliverySink& sink) override;
  Status complete(std::span<const DeliveryId> deliveries) override;
  Result<std::vector<std::uint8_t>> delivered(std::span<const DeliveryId> deliveries) override;
  Result<std::vector<Backlog>> backlog() override;
  Result<std::uint64_t> purge(std::chrono::seconds age, std::uint32_t limit) override;
  Result<std::unique_ptr<Claim>> claim(Partition partition) override;

 private:
  class HeldClaim;

  Backend& backend_;
  const std::function<void()> marked_;
  std::mutex claims_mutex_;
  std::set<Partition> claims_;
};

}  // namespace vouch::sqlite
