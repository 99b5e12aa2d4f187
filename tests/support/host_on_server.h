// Hosts of a test whose events are kept on a real server, behind the World's faults.
#pragma once

#include "host_under_test.h"
#include "server_database.h"
#include "vouch/testkit/faulty_storage.h"

namespace vouch::tests {

class FaultyServerStorage final : public HostStorage {
 public:
  FaultyServerStorage(ServerDatabase& server, testkit::Faults& faults,
                      const std::vector<values::GivenSetting>& settings)
      : server_(server), host_(server.host(settings)), faulty_(host_->storage(), faults) {}
  Storage& storage() override { return faulty_; }
  void crash() override { server_.crash(*host_); }

 private:
  ServerDatabase& server_;
  std::unique_ptr<ServerHost> host_;
  testkit::FaultyStorage faulty_;
};

/// From now on hosts of `world` keep their events on `server`, which must outlive them; `settings`
/// of the plugin.
inline void keep_on_server(World& world, ServerDatabase& server,
                           std::vector<values::GivenSetting> settings = {}) {
  world.other_storage = [&world, &server, settings = std::move(settings)] {
    return std::make_unique<FaultyServerStorage>(server, world.faults, settings);
  };
}

}  // namespace vouch::tests
