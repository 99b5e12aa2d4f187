// Marks: deliveries that are on their outbound topics but whose rows do not say so yet, and the
// count of what is undelivered. A mark is kept here until a transaction with it was committed, so
// that it costs no sync of its own. Any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <span>
#include <vector>

#include "vouch/types.h"

namespace vouch::sqlite {

struct Mark {
  DeliveryId id;
  std::uint64_t events = 0;
  Timestamp at;
};

struct Count {
  std::uint64_t deliveries = 0;
  std::uint64_t events = 0;
};

class Marks {
 public:
  /// What is undelivered in the database; one entry for each partition.
  void reset(std::vector<Count> undelivered);

  /// Takes a mark for an undelivered row. Returns whether it is the only pending one.
  bool add(const Mark& mark);
  [[nodiscard]] bool pending(const DeliveryId& id) const;
  [[nodiscard]] bool any() const;

  /// The first pending marks, at most `limit`. They stay pending until `written` says otherwise.
  [[nodiscard]] std::vector<Mark> first(std::size_t limit) const;
  /// A transaction with these marks was committed; `changed` tells which rows were undelivered.
  void written(std::span<const Mark> marks, const std::vector<bool>& changed);

  /// A transaction with a new delivery was committed.
  void committed(Partition partition, std::uint64_t events);

  /// What is neither marked in the database nor here, for each partition.
  [[nodiscard]] std::vector<Count> undelivered() const;

  /// Every row of the partition up to this number is marked, in the database or here. Never falls.
  [[nodiscard]] LedgerNumber floor(Partition partition) const;
  /// Raises the floor. Pre: the caller saw that every row up to `number` is marked.
  void raise_floor(Partition partition, LedgerNumber number);

 private:
  struct PartitionState {
    Count in_database;
    Count pending;
    LedgerNumber floor;
  };
  [[nodiscard]] PartitionState* state(Partition partition);

  mutable std::mutex mutex_;
  std::map<LedgerNumber, Mark> pending_;
  std::vector<PartitionState> partitions_;
};

}  // namespace vouch::sqlite
