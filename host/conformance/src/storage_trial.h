// StorageTrial: any storage plugin under the suite, in a place of the case's own. A host is crashed
// by cutting its connections (servers), or by going on with a copy of its files; a plugin with
// neither skips what needs it. One thread.
#pragma once

#include <memory>
#include <vector>

#include "trial.h"
#include "vouch/conformance/storage_suite.h"

namespace vouch::conformance {

class StorageTrial final : public StorageUnderTest {
 public:
  /// Makes the place, opens, checks, migrates. Throws ConformanceFailure.
  explicit StorageTrial(Trial& trial);
  ~StorageTrial() override;

  Storage& storage() override { return **hosts_.back().object; }
  void reopen() override;
  void crash() override;

 private:
  struct Host {
    std::unique_ptr<proxy::Proxy> proxy;
    std::unique_ptr<Made<Storage>> object;
  };
  void start();
  /// As a host does at its start; the first host makes the place.
  void set_up(Storage& storage);

  Trial& trial_;
  CasePlace place_;
  std::vector<Host> hosts_;  ///< the last one lives
};

/// Removes what a case left in the user's database, if the plugin can (ScratchPlace).
void remove_place(Trial& trial);

}  // namespace vouch::conformance
