// MysqlStorage: the storage contract over a database of MariaDB or MySQL. It owns the pools, the
// keeper and the marks, gives out lanes, and answers for transactions; reading and delivering are
// in its parts. Threads as the contract says.
#pragma once

#include <memory>

#include "backend.h"
#include "dead_letters.h"
#include "erasures.h"
#include "hosts.h"
#include "keeper.h"
#include "ledger.h"
#include "marks.h"
#include "reader.h"
#include "resolver.h"
#include "scratch_place.h"
#include "snapshots.h"
#include "vouch/storage.h"

namespace vouch::mysql {

class MysqlStorage final : public Storage {
 public:
  /// Does no I/O. `services` must outlive it.
  MysqlStorage(HostServices& services, Options options);
  ~MysqlStorage() { close(); }

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
  Status check_server(Session& session);

  Backend backend_;
  Marks marks_;
  Keeper keeper_;
  Resolver resolver_;
  MysqlLedger ledger_;
  MysqlReader reader_;
  MysqlSnapshots snapshots_;
  MysqlDeadLetters dead_letters_;
  MysqlHosts hosts_;
  MysqlErasures erasures_;
  Server server_;
  bool open_ = false;
  MysqlScratch scratch_{backend_};
};

}  // namespace vouch::mysql
