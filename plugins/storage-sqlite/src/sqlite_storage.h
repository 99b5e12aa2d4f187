// SqliteStorage: the storage contract over one SQLite file. It owns the file's lock and all
// sessions, gives out lanes, and answers for transactions; reading and delivering are in its parts.
// Threads as the contract says.
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include "backend.h"
#include "checkpointer.h"
#include "dead_letters.h"
#include "erasures.h"
#include "lane.h"
#include "ledger.h"
#include "mark_flusher.h"
#include "reader.h"
#include "snapshots.h"
#include "store_lock.h"
#include "vouch/storage.h"

namespace vouch::sqlite {

class SqliteStorage final : public Storage {
 public:
  /// Does no I/O. `services` must outlive it.
  SqliteStorage(HostServices& services, Options options);
  ~SqliteStorage() { close(); }

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

  /// The writing session, for tests that look at it. Pre: open, nothing else writes.
  [[nodiscard]] Connection& writing_session() { return backend_.writer.connection(); }

 private:
  Status open_file();
  void settle_doubt(LaneNumber lane, BatchNumber batch);
  void lane_closed(LaneNumber number);

  Backend backend_;
  MarkFlusher flusher_;
  Checkpointer checkpointer_;
  SqliteLedger ledger_;
  SqliteReader reader_;
  SqliteSnapshots snapshots_;
  SqliteDeadLetters dead_letters_;
  SqliteErasures erasures_;
  StoreLock lock_;
  std::optional<ConnectorRegistration> connector_;
  bool open_ = false;

  std::mutex lanes_mutex_;  // taken before a lane's own mutex
  std::condition_variable lanes_changed_;
  std::map<LaneNumber, SqliteLane*> lanes_;  ///< null while a lane is being opened
};

}  // namespace vouch::sqlite
