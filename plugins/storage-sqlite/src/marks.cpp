#include "marks.h"

#include <algorithm>

namespace vouch::sqlite {

namespace {

Count difference(const Count& from, const Count& what) {
  return {from.deliveries - std::min(from.deliveries, what.deliveries),
          from.events - std::min(from.events, what.events)};
}

}  // namespace

void Marks::reset(std::vector<Count> undelivered) {
  const std::lock_guard lock(mutex_);
  pending_.clear();
  partitions_.assign(undelivered.size(), {});
  for (std::size_t i = 0; i < undelivered.size(); ++i) {
    partitions_[i].in_database = undelivered[i];
  }
}

bool Marks::add(const Mark& mark) {
  const std::lock_guard lock(mutex_);
  PartitionState* partition = state(mark.id.partition);
  if (partition == nullptr) return false;
  if (!pending_.try_emplace(mark.id.number, mark).second) return false;
  partition->pending.deliveries += 1;
  partition->pending.events += mark.events;
  return pending_.size() == 1;
}

bool Marks::pending(const DeliveryId& id) const {
  const std::lock_guard lock(mutex_);
  const auto found = pending_.find(id.number);
  return found != pending_.end() && found->second.id == id;
}

bool Marks::any() const {
  const std::lock_guard lock(mutex_);
  return !pending_.empty();
}

std::vector<Mark> Marks::first(std::size_t limit) const {
  const std::lock_guard lock(mutex_);
  std::vector<Mark> marks;
  marks.reserve(std::min(limit, pending_.size()));
  for (const auto& [number, mark] : pending_) {
    if (marks.size() == limit) break;
    marks.push_back(mark);
  }
  return marks;
}

void Marks::written(std::span<const Mark> marks, const std::vector<bool>& changed) {
  const std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < marks.size(); ++i) {
    if (pending_.erase(marks[i].id.number) == 0) continue;
    PartitionState* partition = state(marks[i].id.partition);
    if (partition == nullptr) continue;
    const Count one{1, marks[i].events};
    partition->pending = difference(partition->pending, one);
    if (changed[i]) partition->in_database = difference(partition->in_database, one);
  }
}

void Marks::committed(Partition partition, std::uint64_t events) {
  const std::lock_guard lock(mutex_);
  if (PartitionState* found = state(partition)) {
    found->in_database.deliveries += 1;
    found->in_database.events += events;
  }
}

std::vector<Count> Marks::undelivered() const {
  const std::lock_guard lock(mutex_);
  std::vector<Count> counts;
  counts.reserve(partitions_.size());
  for (const PartitionState& partition : partitions_) {
    counts.push_back(difference(partition.in_database, partition.pending));
  }
  return counts;
}

LedgerNumber Marks::floor(Partition partition) const {
  const std::lock_guard lock(mutex_);
  return partition.value < partitions_.size() ? partitions_[partition.value].floor : LedgerNumber{};
}

void Marks::raise_floor(Partition partition, LedgerNumber number) {
  const std::lock_guard lock(mutex_);
  if (PartitionState* found = state(partition)) found->floor = std::max(found->floor, number);
}

Marks::PartitionState* Marks::state(Partition partition) {
  return partition.value < partitions_.size() ? &partitions_[partition.value] : nullptr;
}

}  // namespace vouch::sqlite
