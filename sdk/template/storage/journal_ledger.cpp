#include "journal_ledger.h"

#include <algorithm>

namespace storage_journal {

using namespace vouch;

namespace {

class JournalClaim final : public Claim {
 public:
  JournalClaim(std::shared_ptr<Core> core, Partition partition,
               std::shared_ptr<std::atomic<bool>> held)
      : core_(std::move(core)), partition_(partition), held_(std::move(held)) {}
  ~JournalClaim() override {
    const std::lock_guard lock(core_->mutex);
    const auto found = core_->claims.find(partition_);
    if (found != core_->claims.end() && found->second == held_) core_->claims.erase(found);
  }
  [[nodiscard]] Partition partition() const override { return partition_; }
  [[nodiscard]] bool held() const override { return held_->load(); }

 private:
  const std::shared_ptr<Core> core_;
  const Partition partition_;
  const std::shared_ptr<std::atomic<bool>> held_;
};

}  // namespace

Status JournalLedger::ready(std::span<const Partition> partitions, LedgerNumber after,
                            std::uint32_t max_events, DeliverySink& sink) {
  // Rows are copied, their events shared, so that the sink may take its time.
  std::vector<LedgerRow> rows;
  {
    const std::lock_guard lock(core_->mutex);
    if (Status status = core_->migrated(); !status.ok()) return status;
    std::uint64_t events = 0;
    const State& state = core_->state;
    for (auto number = state.waiting.upper_bound(after);
         number != state.waiting.end() && events < max_events; ++number) {
      const LedgerRow& row = state.ledger.at(*number);
      if (std::ranges::find(partitions, row.delivery.id.partition) == partitions.end()) continue;
      rows.push_back(row);
      events += row.events.size();
    }
  }
  for (const LedgerRow& row : rows) {
    if (!sink.delivery(row.delivery)) continue;
    for (const StoredPtr& stored : row.events) sink.event(stored->event.view());
  }
  return {};
}

Status JournalLedger::complete(std::span<const DeliveryId> deliveries) {
  const std::lock_guard lock(core_->mutex);
  if (Status status = core_->migrated(); !status.ok()) return status;
  if (deliveries.empty()) return {};
  // Not forced to the disk: a mark may be lost in a crash, and the next commit takes it along.
  return core_->write(State::mark_entry(deliveries, core_->services.clock().now()), false).why;
}

Result<std::vector<std::uint8_t>> JournalLedger::delivered(std::span<const DeliveryId> deliveries) {
  const std::lock_guard lock(core_->mutex);
  if (Status status = core_->migrated(); !status.ok()) return status;
  std::vector<std::uint8_t> answers;
  for (const DeliveryId& id : deliveries) {
    const LedgerRow* row = core_->state.row(id);
    const bool marked = row != nullptr && row->marked.has_value();
    answers.push_back(marked || core_->state.purged.contains(id) ? 1 : 0);
  }
  return answers;
}

Result<std::vector<Backlog>> JournalLedger::backlog() {
  const std::lock_guard lock(core_->mutex);
  if (Status status = core_->migrated(); !status.ok()) return status;
  const State& state = core_->state;
  std::vector<Backlog> all(state.identity->partitions);
  for (std::uint32_t i = 0; i < all.size(); ++i) all[i].partition = {i};
  for (const LedgerNumber number : state.waiting) {
    const Delivery& delivery = state.ledger.at(number).delivery;
    Backlog& backlog = all[delivery.id.partition.value];
    ++backlog.deliveries;
    backlog.events += delivery.events;
    backlog.oldest = std::min(backlog.oldest.value_or(delivery.written), delivery.written);
  }
  return all;
}

Result<std::uint64_t> JournalLedger::purge(std::chrono::seconds age, std::uint32_t limit) {
  const std::lock_guard lock(core_->mutex);
  if (Status status = core_->migrated(); !status.ok()) return status;
  const std::int64_t now = core_->services.clock().now().micros;
  const Timestamp until{now - std::chrono::microseconds(age).count()};
  // The entry says what was asked for: the next start purges the same rows of the same state.
  const auto outcome = core_->write(State::purge_entry(until, limit), true);
  if (outcome.written != Journal::Written::yes) return outcome.why;
  return core_->state.last_purged;
}

Result<std::unique_ptr<Claim>> JournalLedger::claim(Partition partition) {
  const std::lock_guard lock(core_->mutex);
  if (Status status = core_->migrated(); !status.ok()) return status;
  if (partition.value >= core_->state.identity->partitions) {
    return Status(StatusCode::invalid_argument, "the store has no such partition");
  }
  // Among processes the journal's own lock decides: only one has the store open.
  auto [claim, free] = core_->claims.try_emplace(partition);
  if (!free) {
    return Status(StatusCode::held,
                  "partition " + std::to_string(partition.value) + " is claimed already");
  }
  claim->second = std::make_shared<std::atomic<bool>>(true);
  return std::unique_ptr<Claim>(std::make_unique<JournalClaim>(core_, partition, claim->second));
}

}  // namespace storage_journal
