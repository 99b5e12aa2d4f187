#include "hosts.h"

#include <algorithm>

#include "vouch/staging/partition_list.h"

namespace vouch::postgres {
namespace {

constexpr Sql kBegin{"begin", "BEGIN"};
constexpr Sql kCommit{"commit", "COMMIT"};
/// It is said again within a second: nobody needs to wait for the disk.
constexpr Sql kNoWait{"no_wait", "SELECT set_config('synchronous_commit', 'off', true)"};
constexpr Sql kForget{"forget_hosts",
                      "DELETE FROM hosts WHERE id <> $1 AND seen < clock_timestamp() - "
                      "$2::double precision * interval '1 millisecond'"};
constexpr Sql kAnnounce{"announce_host",
                        "INSERT INTO hosts (id, name, owned, started, seen) "
                        "VALUES ($1, $2, $3, $4, clock_timestamp()) ON CONFLICT (id) DO UPDATE "
                        "SET name = excluded.name, owned = excluded.owned, "
                        "started = excluded.started, seen = excluded.seen"};
constexpr Sql kList{"list_hosts",
                    "SELECT id, name, owned, started, "
                    "(extract(epoch FROM clock_timestamp() - seen) * 1000)::bigint "
                    "FROM hosts ORDER BY id"};
constexpr Sql kLeave{"leave_hosts", "DELETE FROM hosts WHERE id = $1"};

}  // namespace

Status PostgresHosts::announce(const HostEntry& self, std::chrono::milliseconds forget_after) {
  return backend_.run("announcing this host", [&]() -> Status {
    std::vector<Step> steps;
    steps.push_back({&kBegin, {}});
    steps.push_back({&kNoWait, {}});
    steps.push_back({&kForget, Parameters().text(self.id).number8(forget_after.count())});
    steps.push_back({&kAnnounce, Parameters()
                                     .text(self.id)
                                     .text(self.name)
                                     .text(staging::partition_list(self.owned))
                                     .number8(self.started.micros)});
    steps.push_back({&kCommit, {}});
    backend_.sessions.read([&](Session& session) { session.run(steps); });
    return {};
  });
}

Result<std::vector<SeenHost>> PostgresHosts::list() {
  using Hosts = std::vector<SeenHost>;
  return backend_.run("reading the hosts", [&]() -> Result<Hosts> {
    const Rows rows = backend_.sessions.read([&](Session& session) { return session.run(kList); });
    Hosts hosts;
    for (int row = 0; row < rows.size(); ++row) {
      SeenHost& seen = hosts.emplace_back();
      seen.host.id = rows.text(row, 0);
      seen.host.name = rows.text(row, 1);
      seen.host.owned = staging::read_partition_list(rows.text(row, 2));
      seen.host.started = {rows.integer(row, 3)};
      seen.age = std::chrono::milliseconds(std::max<std::int64_t>(0, rows.integer(row, 4)));
    }
    return hosts;
  });
}

Status PostgresHosts::leave(const std::string& id) {
  return backend_.run("taking this host's leave", [&]() -> Status {
    backend_.sessions.read([&](Session& session) { session.run(kLeave, Parameters().text(id)); });
    return {};
  });
}

}  // namespace vouch::postgres
