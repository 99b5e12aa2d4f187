// All storage cases in one list.
#include "storage_cases.h"

namespace vouch::conformance {

std::vector<StorageCase> storage_cases() {
  std::vector<StorageCase> all;
  for (const auto& cases : {setup_cases(), append_cases(), retry_cases(), race_cases(),
                            read_cases(), feed_cases(), ledger_cases(), resolve_cases(),
                            snapshot_cases(), dead_letter_cases(), host_cases(), erase_cases()}) {
    all.insert(all.end(), cases.begin(), cases.end());
  }
  return all;
}

}  // namespace vouch::conformance
