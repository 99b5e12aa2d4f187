// FaultyStorage: any storage, with faults. Stands between a host and a real storage and passes
// everything on, unless it is told to do something wrong: so the same random runs that are made
// over MemoryStorage are made over a real database.
//
// Faults: stage fail, stall, throw_exception · commit fail (rolled back, aborted), lose (done,
// unknown), lose_and_fail (rolled back, unknown), stall (before it is sent) · rollback stall ·
// resolve, ready, complete, read, claim fail, stall; complete lose (reported as marked, and the
// storage is not told: the delivery is ready again) · erase fail (not done), lose_and_fail (done,
// reported as failed), stall.
#pragma once

#include <memory>

#include "vouch/storage.h"
#include "vouch/testkit/faults.h"

namespace vouch::testkit {

/// [any-thread], as the storage behind it. Its lanes and claims must not outlive it.
class FaultyStorage final : public Storage {
 public:
  /// Both must outlive it.
  FaultyStorage(Storage& storage, Faults& faults);
  ~FaultyStorage();

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
  /// Other interfaces are handed out as they are, without faults; erasures pass the step `erase`.
  void* query(std::string_view interface_id) override;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace vouch::testkit
