// PostgresStorage: the storage contract over one schema of a PostgreSQL database. It checks and
// migrates, gives out lanes, answers for transactions; the rest is in its parts. Threads as the
// contract says.
#pragma once

#include "backend.h"
#include "dead_letters.h"
#include "erasures.h"
#include "health_probe.h"
#include "hosts.h"
#include "ledger.h"
#include "reader.h"
#include "scratch_place.h"
#include "snapshots.h"
#include "vouch/storage.h"

namespace vouch::postgres {

class PostgresStorage final : public Storage {
 public:
  /// Does no I/O. `services` must outlive it.
  PostgresStorage(HostServices& services, Options options);
  ~PostgresStorage() { close(); }

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
  Ledger& ledger() override { return ledger_; }
  Reader& reader() override { return reader_; }
  void* query(std::string_view interface_id) override;

 private:
  Backend backend_;
  PostgresLedger ledger_;
  PostgresReader reader_;
  PostgresSnapshots snapshots_;
  PostgresDeadLetters dead_letters_;
  PostgresHosts hosts_;
  PostgresErasures erasures_;
  HealthProbe health_;
  std::string server_;  ///< "PostgreSQL 15.18"; set by open
  bool open_ = false;
  PostgresScratch scratch_{backend_};
};

}  // namespace vouch::postgres
