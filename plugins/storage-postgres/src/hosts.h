// PostgresHosts: which hosts are there. [any-thread]
#pragma once

#include "backend.h"
#include "vouch/host_registry.h"

namespace vouch::postgres {

class PostgresHosts final : public HostRegistry {
 public:
  explicit PostgresHosts(Backend& backend) : backend_(backend) {}
  Status announce(const HostEntry& self, std::chrono::milliseconds forget_after) override;
  Result<std::vector<SeenHost>> list() override;
  Status leave(const std::string& id) override;

 private:
  Backend& backend_;
};

}  // namespace vouch::postgres
