// MysqlLedger: what is committed and not delivered, in number order; purging; claims. Any thread.
#pragma once

#include <cstdint>
#include <set>
#include <span>
#include <vector>

#include "backend.h"
#include "keeper.h"
#include "marks.h"
#include "vouch/storage.h"

namespace vouch::mysql {

class MysqlLedger final : public Ledger {
 public:
  MysqlLedger(Backend& backend, Marks& marks, Keeper& keeper)
      : backend_(backend), marks_(marks), keeper_(keeper) {}
  MysqlLedger(const MysqlLedger&) = delete;
  MysqlLedger& operator=(const MysqlLedger&) = delete;
  ~MysqlLedger() = default;

  Status ready(std::span<const Partition> partitions, LedgerNumber after, std::uint32_t max_events,
               DeliverySink& sink) override;
  Status complete(std::span<const DeliveryId> deliveries) override;
  Result<std::vector<std::uint8_t>> delivered(std::span<const DeliveryId> deliveries) override;
  Result<std::vector<Backlog>> backlog() override;
  Result<std::uint64_t> purge(std::chrono::seconds age, std::uint32_t limit) override;
  Result<std::unique_ptr<Claim>> claim(Partition partition) override;

 private:
  struct Waiting {
    Delivery delivery;
    std::uint64_t first_place;
    std::uint64_t last_place;
  };
  std::vector<Waiting> undelivered(Session& session, std::span<const Partition> partitions,
                                   LedgerNumber after, std::uint32_t max_events);
  static std::span<const Waiting> first_run(std::span<const Waiting> found, std::uint64_t events,
                                            DeliverySink& sink);
  /// Reads a run of deliveries with one statement: their places follow each other in one lane.
  /// Returns how many bytes that were.
  std::uint64_t give(Session& session, std::span<const Waiting> run, DeliverySink& sink);

  Backend& backend_;
  Marks& marks_;
  Keeper& keeper_;
};

}  // namespace vouch::mysql
