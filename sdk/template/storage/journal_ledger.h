// The ledger: what must still be published, and who may. Sinks are called without the lock.
#pragma once

#include <memory>

#include "core.h"
#include "vouch/ledger.h"

namespace storage_journal {

class JournalLedger final : public vouch::Ledger {
 public:
  explicit JournalLedger(std::shared_ptr<Core> core) : core_(std::move(core)) {}

  vouch::Status ready(std::span<const vouch::Partition> partitions, vouch::LedgerNumber after,
                      std::uint32_t max_events, vouch::DeliverySink& sink) override;
  vouch::Status complete(std::span<const vouch::DeliveryId> deliveries) override;
  vouch::Result<std::vector<std::uint8_t>> delivered(
      std::span<const vouch::DeliveryId> deliveries) override;
  vouch::Result<std::vector<vouch::Backlog>> backlog() override;
  vouch::Result<std::uint64_t> purge(std::chrono::seconds age, std::uint32_t limit) override;
  vouch::Result<std::unique_ptr<vouch::Claim>> claim(vouch::Partition partition) override;

 private:
  const std::shared_ptr<Core> core_;
};

}  // namespace storage_journal
