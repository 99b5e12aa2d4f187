// Members: the hosts that share the store, and how many partitions each should deliver. It only
// advises: the claim decides. Where the storage keeps no list of hosts this one is alone.
//
// Each host announces itself every second interval and looks at the list every interval. A host
// that was not heard of for longer than that is not waited for; one whose partition could be
// claimed is gone, whatever it announced.
//
// `reports`: [any-thread]. The rest: the saga's thread.
#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "saga/saga.h"
#include "vouch/host_registry.h"

namespace vouch::saga {

/// Of `hosts` that share `partitions`, the part of the one at `place`: as even as it can be.
[[nodiscard]] constexpr std::size_t fair_share(std::size_t partitions, std::size_t hosts,
                                               std::size_t place) {
  return partitions / hosts + (place < partitions % hosts ? 1U : 0U);
}

class Members {
 public:
  using Time = std::chrono::steady_clock::time_point;

  /// `registry` may be null.
  Members(HostRegistry* registry, std::string name, std::size_t partitions,
          std::chrono::milliseconds interval, HostServices& services);

  [[nodiscard]] bool alone() const { return registry_ == nullptr; }

  /// Announces this host if that is due or `owned` has changed, and looks who else is there. A
  /// failure is logged once; until it is over every partition may be tried.
  void refresh(Time now, const std::vector<Partition>& owned);

  /// Whether this host, which owns `mine`, should try to claim the partition.
  [[nodiscard]] bool may_claim(Partition partition, std::size_t mine) const;

  /// A claim succeeded: whoever announced the partition does not have it any more.
  void claimed(Partition partition, Time now);

  /// How many of its `mine` partitions this host should give up for hosts that have too few.
  [[nodiscard]] std::size_t surplus(std::size_t mine) const;

  /// This host ends.
  void leave();

  [[nodiscard]] std::vector<HostReport> reports() const;

 private:
  struct Other {
    SeenHost seen;
    bool here = false;  ///< heard of lately
  };

  Status announce(Time now, const std::vector<Partition>& owned);
  void take(Time now, std::vector<SeenHost> listed);
  void count_shares();

  HostRegistry* const registry_;
  const std::size_t partitions_;
  const std::chrono::milliseconds interval_;
  HostServices& services_;
  HostEntry self_;
  std::optional<Time> announced_;
  std::optional<Time> looked_;           ///< when the list was read last
  std::vector<Other> others_;            ///< in the order of ids
  std::map<std::string, Time> gone_;     ///< since when
  std::map<Partition, Time> ownerless_;  ///< since when
  std::set<Partition> others_own_;       ///< those that others who are here announced
  Time now_;
  std::size_t share_;
  std::size_t wanted_by_others_ = 0;  ///< partitions that others have too few
  std::string problem_;
  mutable std::mutex mutex_;  ///< guards `reports_`
  std::vector<HostReport> reports_;
};

}  // namespace vouch::saga
