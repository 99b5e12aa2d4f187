#include "members.h"

#include <algorithm>
#include <random>
#include <utility>

namespace vouch::saga {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

/// A host that ended without a word is listed for so long, for people.
constexpr std::chrono::minutes kRemembered{10};

std::string random_id() {
  static constexpr std::string_view kDigits = "0123456789abcdefghijklmnopqrstuvwxyz";
  std::random_device random;
  std::string id;
  for (int i = 0; i < 20; ++i) id += kDigits[random() % kDigits.size()];
  return id;
}

}  // namespace

Members::Members(HostRegistry* registry, std::string name, std::size_t partitions,
                 milliseconds interval, HostServices& services)
    : registry_(registry),
      partitions_(partitions),
      interval_(interval),
      services_(services),
      share_(partitions) {
  self_.id = random_id();
  self_.name = std::move(name);
  self_.started = services.clock().now();
}

void Members::refresh(Time now, const std::vector<Partition>& owned) {
  now_ = now;
  if (alone()) {
    self_.owned = owned;
    const std::lock_guard lock(mutex_);
    reports_ = {{self_.id, self_.name, true, true, milliseconds(0), self_.started, owned}};
    return;
  }
  Status status = announce(now, owned);
  if (status.ok()) {
    Result<std::vector<SeenHost>> listed = registry_->list();
    if (listed.ok()) {
      take(now, *std::move(listed));
    } else {
      status = listed.status();
    }
  }
  if (status.message() == problem_) return;
  problem_ = status.message();
  if (!status.ok()) {
    services_.logger().warning("can't see the other hosts of the store",
                               {{"problem", status.to_string()}});
  }
}

Status Members::announce(Time now, const std::vector<Partition>& owned) {
  const bool due = !announced_ || now - *announced_ >= 2 * interval_ - interval_ / 10;
  if (!due && owned == self_.owned) return {};
  self_.owned = owned;
  const Status status = registry_->announce(self_, kRemembered);
  if (status.ok()) announced_ = now;
  return status;
}

void Members::take(Time now, std::vector<SeenHost> listed) {
  looked_ = now;
  // Heard of within the time that an announcement may be old, with some delay.
  const milliseconds fresh = interval_ * 26 / 10;
  others_.clear();
  others_own_.clear();
  std::vector<HostReport> reports;
  for (SeenHost& seen : listed) {
    const bool self = seen.host.id == self_.id;
    const auto gone = gone_.find(seen.host.id);
    // It has announced itself since it was taken for gone.
    if (gone != gone_.end() && seen.age < now - gone->second) gone_.erase(gone);
    const bool here = self || (seen.age <= fresh && !gone_.contains(seen.host.id));
    reports.push_back({seen.host.id, seen.host.name, self, here, seen.age, seen.host.started,
                       here ? seen.host.owned : std::vector<Partition>()});
    if (self) continue;
    if (here) others_own_.insert(seen.host.owned.begin(), seen.host.owned.end());
    others_.push_back({std::move(seen), here});
  }
  std::erase_if(gone_, [&](const auto& entry) { return now - entry.second > kRemembered; });
  for (std::uint32_t i = 0; i < partitions_; ++i) {
    const Partition partition{i};
    const bool owned = others_own_.contains(partition) ||
                       std::ranges::find(self_.owned, partition) != self_.owned.end();
    if (owned) {
      ownerless_.erase(partition);
    } else {
      ownerless_.try_emplace(partition, now);
    }
  }
  count_shares();
  const std::lock_guard lock(mutex_);
  reports_ = std::move(reports);
}

void Members::count_shares() {
  const auto here = static_cast<std::size_t>(
      std::ranges::count_if(others_, [](const Other& other) { return other.here; }));
  std::size_t place = 0;
  wanted_by_others_ = 0;
  bool past_self = false;
  for (const Other& other : others_) {
    if (!other.here) continue;
    if (!past_self && other.seen.host.id > self_.id) {
      past_self = true;
      share_ = fair_share(partitions_, here + 1, place++);
    }
    const std::size_t share = fair_share(partitions_, here + 1, place++);
    const std::size_t has = other.seen.host.owned.size();
    if (has < share) wanted_by_others_ += share - has;
  }
  if (!past_self) share_ = fair_share(partitions_, here + 1, place);
}

bool Members::may_claim(Partition partition, std::size_t mine) const {
  // Without knowledge there is still the claim, which decides.
  if (alone() || !looked_ || now_ - *looked_ > 6 * interval_) return true;
  // Before this host owns anything, it looks for partitions of one that ended just now.
  if (others_own_.contains(partition)) return mine == 0;
  if (mine < share_) return true;
  // Whoever should have it does not come.
  const auto since = ownerless_.find(partition);
  return since != ownerless_.end() && now_ - since->second >= 2 * interval_;
}

void Members::claimed(Partition partition, Time now) {
  if (alone()) return;
  for (Other& other : others_) {
    if (!other.here ||
        std::ranges::find(other.seen.host.owned, partition) == other.seen.host.owned.end()) {
      continue;
    }
    other.here = false;
    gone_[other.seen.host.id] = now;
    for (const Partition freed : other.seen.host.owned) others_own_.erase(freed);
  }
  count_shares();
}

std::size_t Members::surplus(std::size_t mine) const {
  if (alone() || mine <= share_) return 0;
  return std::min(mine - share_, wanted_by_others_);
}

void Members::leave() {
  if (alone() || !announced_) return;
  ignore_status(registry_->leave(self_.id), "it is forgotten after a while");
}

std::vector<HostReport> Members::reports() const {
  const std::lock_guard lock(mutex_);
  return reports_;
}

}  // namespace vouch::saga
