// EarlierDeliveries: whether everything that was committed and undelivered at one moment is
// delivered by now, by whichever host. One thread.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "vouch/storage.h"

namespace vouch::replay {

class EarlierDeliveries {
 public:
  /// `ledger` must outlive it. The moment is the first call of `delivered`.
  EarlierDeliveries(Ledger& ledger, std::uint32_t partitions);

  /// Asks the ledger. Once it was true it stays true without asking.
  Result<bool> delivered();

 private:
  /// The number of the last one that is ready now, or nothing.
  Result<std::optional<LedgerNumber>> last_ready();
  Result<std::optional<LedgerNumber>> first_ready();

  Ledger& ledger_;
  std::vector<Partition> partitions_;
  std::optional<LedgerNumber> last_;  ///< of those that were there at the moment
  bool done_ = false;
};

}  // namespace vouch::replay
