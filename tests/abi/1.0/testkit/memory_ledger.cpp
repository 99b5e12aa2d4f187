// MemoryLedger: what must still be published, and who may. [any-thread]; sinks are called without
// the database's mutex.
#include <algorithm>
#include <utility>

#include "memory_host.h"

namespace vouch::testkit {
namespace {

class MemoryClaim final : public Claim {
 public:
  MemoryClaim(HostPtr host, Partition partition, std::shared_ptr<ClaimState> state)
      : host_(std::move(host)), partition_(partition), state_(std::move(state)) {}
  ~MemoryClaim() override {
    const std::lock_guard lock(host_->database.mutex);
    const auto found = host_->database.claims.find(partition_);
    if (found != host_->database.claims.end() && found->second == state_) {
      host_->database.claims.erase(found);
    }
  }
  [[nodiscard]] Partition partition() const override { return partition_; }
  [[nodiscard]] bool held() const override { return state_->held.load(); }

 private:
  HostPtr host_;
  Partition partition_;
  std::shared_ptr<ClaimState> state_;
};

}  // namespace

Status MemoryLedger::ready(std::span<const Partition> partitions, LedgerNumber after,
                           std::uint32_t max_events, DeliverySink& sink) {
  if (Status status = host_->enter(Step::ready); !status.ok()) return status;
  // Rows are copied (their events are shared) so that the sink may take its time.
  std::vector<LedgerRow> rows;
  std::uint64_t events = 0;
  {
    const MemoryDatabase::Impl& database = host_->database;
    const std::lock_guard lock(database.mutex);
    auto waiting = database.undelivered.upper_bound(after);
    for (; waiting != database.undelivered.end(); ++waiting) {
      const LedgerRow& row = database.ledger.at(*waiting);
      const bool asked_for = std::find(partitions.begin(), partitions.end(),
                                       row.delivery.id.partition) != partitions.end();
      if (!asked_for || host_->marked.contains(row.delivery.id)) continue;
      rows.push_back(row);
      events += row.records.size();
      if (events >= max_events) break;
    }
  }
  for (const LedgerRow& row : rows) {
    if (!sink.delivery(row.delivery)) continue;
    for (const RecordPtr& record : row.records) sink.event(record->event.view());
  }
  return {};
}

Status MemoryLedger::complete(std::span<const DeliveryId> deliveries) {
  const Fault fault = host_->faults.pass(Step::complete);
  if (fault == Fault::throw_exception) throw_on_purpose(Step::complete);
  if (fault == Fault::fail) return told_to_fail(Step::complete);
  if (Status status = host_->usable(); !status.ok()) return status;
  const std::lock_guard lock(host_->database.mutex);
  for (const DeliveryId& id : deliveries) {
    if (fault == Fault::lose) {
      host_->marked.insert(id);
    } else {
      host_->database.mark(id);
    }
  }
  return {};
}

Result<std::vector<std::uint8_t>> MemoryLedger::delivered(std::span<const DeliveryId> deliveries) {
  if (Status status = host_->usable(); !status.ok()) return status;
  const MemoryDatabase::Impl& database = host_->database;
  const std::lock_guard lock(database.mutex);
  std::vector<std::uint8_t> answers;
  for (const DeliveryId& id : deliveries) {
    const auto row = database.ledger.find(id.number);
    const bool stored = row != database.ledger.end() && row->second.delivery.id == id;
    const bool marked = stored && (row->second.marked || host_->marked.contains(id));
    answers.push_back(marked || database.purged.contains(id) ? 1 : 0);
  }
  return answers;
}

Result<std::vector<Backlog>> MemoryLedger::backlog() {
  if (Status status = host_->usable(); !status.ok()) return status;
  const MemoryDatabase::Impl& database = host_->database;
  const std::lock_guard lock(database.mutex);
  if (!database.identity) {
    return Status(StatusCode::failed_precondition, "the store was not migrated");
  }
  std::vector<Backlog> partitions(database.identity->partitions);
  for (std::uint32_t i = 0; i < partitions.size(); ++i) partitions[i].partition = {i};
  for (const LedgerNumber number : database.undelivered) {
    const Delivery& delivery = database.ledger.at(number).delivery;
    if (host_->marked.contains(delivery.id)) continue;
    Backlog& backlog = partitions[delivery.id.partition.value];
    ++backlog.deliveries;
    backlog.events += delivery.events;
    backlog.oldest = std::min(backlog.oldest.value_or(delivery.written), delivery.written);
  }
  return partitions;
}

Result<std::uint64_t> MemoryLedger::purge(std::chrono::seconds age, std::uint32_t limit) {
  if (Status status = host_->usable(); !status.ok()) return status;
  const Timestamp until{wall_now().micros - std::chrono::microseconds(age).count()};
  const std::lock_guard lock(host_->database.mutex);
  return host_->database.purge(until, limit);
}

Result<std::unique_ptr<Claim>> MemoryLedger::claim(Partition partition) {
  if (Status status = host_->enter(Step::claim); !status.ok()) return status;
  MemoryDatabase::Impl& database = host_->database;
  const std::lock_guard lock(database.mutex);
  if (!database.identity || partition.value >= database.identity->partitions) {
    return Status(StatusCode::invalid_argument, "the store has no such partition");
  }
  if (database.claims.contains(partition)) {
    return Status(StatusCode::held,
                  "partition " + std::to_string(partition.value) + " is claimed already");
  }
  auto state = std::make_shared<ClaimState>();
  state->host = host_.get();
  database.claims.emplace(partition, state);
  return std::unique_ptr<Claim>(std::make_unique<MemoryClaim>(host_, partition, std::move(state)));
}

}  // namespace vouch::testkit
