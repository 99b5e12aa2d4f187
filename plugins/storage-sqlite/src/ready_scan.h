// ReadyScan: walks the undelivered deliveries of one partition in number order and passes over the
// ones that are marked in memory. Lives for one call of `Ledger::ready`; one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "marks.h"
#include "read_statements.h"

namespace vouch::sqlite {

class ReadyScan {
 public:
  /// Looks at numbers above `after`, up to `last`.
  ReadyScan(ReadStatements& sql, Marks& marks, Partition partition, std::uint64_t after,
            std::uint64_t last);

  /// The number of the next delivery that is not marked in memory, without moving on.
  std::optional<std::uint64_t> peek();
  void move_on() { ++position_; }
  [[nodiscard]] Partition partition() const { return partition_; }

 private:
  void refill();

  ReadStatements& sql_;
  Marks& marks_;
  Partition partition_;
  std::uint64_t last_;
  std::uint64_t seen_;  // the highest number looked at
  bool only_marked_;    // every row up to seen_ was marked
  bool exhausted_ = false;
  std::size_t chunk_ = 16;
  std::vector<std::uint64_t> numbers_;
  std::size_t position_ = 0;
};

}  // namespace vouch::sqlite
