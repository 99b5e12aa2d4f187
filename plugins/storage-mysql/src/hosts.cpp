#include "hosts.h"

#include <algorithm>
#include <string>

#include "vouch/staging/partition_list.h"

namespace vouch::mysql {
namespace {

#define VOUCH_NOW "TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6))"

constexpr const char* kForget =
    "DELETE FROM vouch_hosts WHERE id <> ? AND seen < " VOUCH_NOW " - ? * 1000";
constexpr const char* kAnnounce =
    "INSERT INTO vouch_hosts (id, name, owned, started, seen) VALUES (?,?,?,?," VOUCH_NOW
    ") ON DUPLICATE KEY UPDATE name = VALUES(name), owned = VALUES(owned), "
    "started = VALUES(started), seen = VALUES(seen)";
constexpr const char* kList = "SELECT id, name, owned, started, GREATEST(0, (" VOUCH_NOW
                              " - seen) DIV 1000) FROM vouch_hosts ORDER BY id";

#undef VOUCH_NOW

}  // namespace

Status MysqlHosts::announce(const HostEntry& self, std::chrono::milliseconds forget_after) {
  return backend_.run("announcing this host", [&]() -> Status {
    const std::string owned = staging::partition_list(self.owned);
    backend_.work.with([&](Session& session) {
      session.prepared(kForget).execute({std::string_view(self.id), forget_after.count()});
      session.prepared(kAnnounce).execute({std::string_view(self.id), std::string_view(self.name),
                                           std::string_view(owned), self.started.micros});
    });
    return {};
  });
}

Result<std::vector<SeenHost>> MysqlHosts::list() {
  using Hosts = std::vector<SeenHost>;
  return backend_.run("reading the hosts", [&]() -> Result<Hosts> {
    Hosts hosts;
    backend_.work.with([&](Session& session) {
      hosts.clear();
      Rows rows = session.prepared(kList).run({});
      while (rows.next()) {
        SeenHost& seen = hosts.emplace_back();
        seen.host.id = rows.bytes(0);
        seen.host.name = rows.bytes(1);
        seen.host.owned = staging::read_partition_list(rows.bytes(2));
        seen.host.started = {rows.integer(3)};
        seen.age = std::chrono::milliseconds(std::max<std::int64_t>(0, rows.integer(4)));
      }
    });
    return hosts;
  });
}

Status MysqlHosts::leave(const std::string& id) {
  return backend_.run("taking this host's leave", [&]() -> Status {
    backend_.work.with([&](Session& session) {
      session.prepared("DELETE FROM vouch_hosts WHERE id = ?").execute({std::string_view(id)});
    });
    return {};
  });
}

}  // namespace vouch::mysql
