#include "ready_scan.h"

#include <algorithm>

namespace vouch::sqlite {

ReadyScan::ReadyScan(ReadStatements& sql, Marks& marks, Partition partition, std::uint64_t after,
                     std::uint64_t last)
    : sql_(sql),
      marks_(marks),
      partition_(partition),
      last_(last),
      seen_(std::max(marks.floor(partition).value, after)),
      // What is below `after` is not looked at, so the floor can't be raised over it.
      only_marked_(marks.floor(partition).value >= after) {}

std::optional<std::uint64_t> ReadyScan::peek() {
  while (position_ == numbers_.size() && !exhausted_) refill();
  if (position_ == numbers_.size()) return std::nullopt;
  return numbers_[position_];
}

void ReadyScan::refill() {
  constexpr std::size_t kLargestChunk = 1'024;
  numbers_.clear();
  position_ = 0;
  std::size_t rows_seen = 0;
  {
    Rows rows = sql_.undelivered.run(partition_.value, seen_, last_, chunk_);
    while (rows.next()) {
      ++rows_seen;
      const std::uint64_t number = rows.number(0);
      if (!marks_.pending({partition_, {number}})) {
        only_marked_ = false;
        numbers_.push_back(number);
      }
      if (only_marked_) marks_.raise_floor(partition_, {number});
      seen_ = number;
    }
  }
  exhausted_ = rows_seen < chunk_;
  chunk_ = std::min(chunk_ * 4, kLargestChunk);
}

}  // namespace vouch::sqlite
