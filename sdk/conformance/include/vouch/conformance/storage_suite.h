// The suite for storages: what a plugin must do to keep Vouch's promise, as cases with stable ids.
// A runner makes a fresh StorageUnderTest for each case, ideally in a process of its own. A case
// uses threads of its own where it needs them; the fixture is called from one thread.
#pragma once

#include <span>
#include <vector>

#include "vouch/conformance/case.h"
#include "vouch/storage.h"

namespace vouch::conformance {

/// A storage on data of its own, empty at first. One class for each kind of storage.
class StorageUnderTest {
 public:
  StorageUnderTest() = default;
  StorageUnderTest(const StorageUnderTest&) = delete;
  StorageUnderTest& operator=(const StorageUnderTest&) = delete;
  virtual ~StorageUnderTest() = default;

  /// What the fixture migrates to.
  static StoreIdentity identity() { return {"conformance", 8}; }

  /// Open, checked and migrated. The reference ends with the next `reopen` or `crash`.
  virtual Storage& storage() = 0;

  /// Closes and opens again on the same data. Pre: all lanes and claims are destroyed.
  virtual void reopen() = 0;

  /// Ends the host as `kill -9` does and opens another on the same data. Lanes and claims of the
  /// crashed host may still be destroyed afterwards, but not used. Skips when it can't.
  virtual void crash() { throw CaseSkipped("the fixture can't crash a host"); }
};

struct StorageCase {
  const char* id;        ///< stable, for example "storage.append.conflict_spares_neighbours"
  const char* sentence;  ///< what is promised
  void (*run)(StorageUnderTest&);
};

/// All cases, in a sensible order.
std::vector<StorageCase> storage_cases();

}  // namespace vouch::conformance
