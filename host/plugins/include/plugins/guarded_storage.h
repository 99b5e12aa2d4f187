// GuardedStorage: a storage plugin's object as the rest of the host sees it. Catches what must not
// be thrown ("plugin misbehaving"), measures how long each call takes, and destroys the object
// through its own library. Adds no other behaviour.
#pragma once

#include <memory>
#include <string>

#include "plugins/call_watch.h"
#include "vouch/host_services.h"
#include "vouch/plugin.h"
#include "vouch/snapshot_store.h"
#include "vouch/storage.h"

namespace vouch::plugins {

class GuardedStorage final : public Storage {
 public:
  /// Takes ownership of `storage`; `destroy` frees it. `name` labels metrics and log lines. `watch`
  /// must outlive it; null: nobody notices calls that do not return.
  GuardedStorage(Storage* storage, void (*destroy)(Plugin*), std::string name,
                 HostServices& services, CallWatch* watch = nullptr);
  ~GuardedStorage();

  Status open() override;
  Status check() override;
  Status migrate(const StoreIdentity& identity) override;
  void close() override;
  Health health() override;
  [[nodiscard]] StorageCapabilities capabilities() const override;
  [[nodiscard]] std::string guarantees() const override;
  Result<std::unique_ptr<Lane>> lane(LaneNumber number, std::chrono::milliseconds wait) override;
  Result<std::vector<Verdict>> resolve(std::span<const Token> tokens) override;
  Status fence(const Token& token) override;
  Ledger& ledger() override;
  Reader& reader() override;
  /// Guards the interfaces that the host knows (snapshots, dead letters, erasures); hands out
  /// others as they are.
  void* query(std::string_view interface_id) override;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace vouch::plugins
