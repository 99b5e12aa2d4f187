// MemoryHosts: kept in the database. [any-thread]
#include "memory_host.h"

namespace vouch::testkit {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

Status MemoryHosts::announce(const HostEntry& self, milliseconds forget_after) {
  if (Status status = host_->enter(Step::claim); !status.ok()) return status;
  const std::lock_guard lock(host_->database.mutex);
  auto& hosts = host_->database.hosts;
  const auto now = steady_clock::now();
  std::erase_if(hosts, [&](const auto& entry) { return entry.second.at + forget_after < now; });
  hosts[self.id] = {self, now};
  return {};
}

Result<std::vector<SeenHost>> MemoryHosts::list() {
  if (Status status = host_->enter(Step::claim); !status.ok()) return status;
  const std::lock_guard lock(host_->database.mutex);
  std::vector<SeenHost> hosts;
  for (const auto& [id, announced] : host_->database.hosts) {
    hosts.push_back({announced.host,
                     std::chrono::duration_cast<milliseconds>(steady_clock::now() - announced.at)});
  }
  return hosts;
}

Status MemoryHosts::leave(const std::string& id) {
  if (Status status = host_->enter(Step::claim); !status.ok()) return status;
  const std::lock_guard lock(host_->database.mutex);
  host_->database.hosts.erase(id);
  return {};
}

}  // namespace vouch::testkit
