// Writer: the one session that writes, and its transactions. Whoever writes (a lane, the marks'
// flush, purge, snapshots) takes its turn here, holds the session until the transaction is over,
// and carries pending marks along. `begin` is for any thread; a WriteTransaction is used by one
// thread at a time, not always the same one.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "connection.h"
#include "errors.h"
#include "marks.h"
#include "open_tokens.h"
#include "options.h"
#include "write_statements.h"
#include "write_turn.h"

namespace vouch::sqlite {

class WriteTransaction;

class Writer {
 public:
  Writer(const Options& options, Marks& marks, OpenTokens& tokens);
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;
  ~Writer() = default;

  /// Opens the session. Throws SqlError.
  void open();
  /// Pre: no transaction is open.
  void close();
  /// For start-up, before anything else writes. Pre: open.
  [[nodiscard]] Connection& connection() { return *connection_; }
  /// Prepares the statements. Pre: the schema is there. Throws SqlError.
  void prepare();

  /// Waits for the turn and for the file's write lock, at most `wait` for each. Reopens a session
  /// that broke. Throws StatusError (contended: the turn did not come), SqlError.
  std::unique_ptr<WriteTransaction> begin(std::chrono::milliseconds wait);

  /// Runs `body` while nobody writes through this session. Throws StatusError (contended).
  void hold_turn(std::chrono::milliseconds wait, const std::function<void()>& body);

  /// `hook` hears how many frames the log has, after each commit, on the committing thread. Before
  /// `open`.
  void on_log_growth(std::function<void(std::uint64_t)> hook) { log_grew_ = std::move(hook); }

  /// Makes what a failed commit may have left in the log ineffective, by a commit that overwrites
  /// it. Throws SqlError.
  void seal(LaneNumber lane, std::chrono::milliseconds wait);

  /// Rises with each session. [any-thread]
  [[nodiscard]] std::uint64_t generation() const;
  /// When a transaction last carried marks along. [any-thread]
  [[nodiscard]] std::chrono::steady_clock::time_point last_carried() const;
  /// Why the last write failed, empty when none failed since the last commit. [any-thread]
  [[nodiscard]] std::string last_error() const;

 private:
  friend class WriteTransaction;
  void reopen();
  void drop_session();
  void failed(const SqlError& error);
  void succeeded();
  void carried();
  [[nodiscard]] Status turn_did_not_come() const;
  static int log_hook(void* self, sqlite3* handle, const char* database, int frames);

  const Options& options_;
  Marks& marks_;
  OpenTokens& tokens_;
  std::function<void(std::uint64_t)> log_grew_;
  WriteTurn turn_;
  std::unique_ptr<Connection> connection_;       // of the turn's holder
  std::unique_ptr<WriteStatements> statements_;  // goes before the connection

  mutable std::mutex mutex_;  // guards what follows
  std::uint64_t generation_ = 0;
  std::chrono::steady_clock::time_point last_carried_;
  std::string last_error_;
};

/// What became of a COMMIT. Not ok: rolled back.
struct CommitReport {
  Status status;
  bool in_doubt = false;  ///< a crash now could bring it back: `Writer::seal` ends that
};

/// An open transaction. Destruction rolls back.
class WriteTransaction {
 public:
  WriteTransaction(const WriteTransaction&) = delete;
  WriteTransaction& operator=(const WriteTransaction&) = delete;
  ~WriteTransaction() { rollback(); }

  [[nodiscard]] WriteStatements& sql() { return *writer_.statements_; }

  /// Writes up to `limit` pending marks; they are settled when the commit succeeds. Throws
  /// SqlError.
  void carry_marks(std::size_t limit);
  /// Counts a new delivery into the backlog when the commit succeeds.
  void will_add(Partition partition, std::uint64_t events);

  /// Remembers the error for `health` and gives the session up if it must be.
  void failed(const SqlError& error);

  CommitReport commit();
  void rollback();

 private:
  friend class Writer;
  explicit WriteTransaction(Writer& writer) : writer_(writer) {}
  void end();

  Writer& writer_;
  bool open_ = true;
  bool broken_ = false;
  std::vector<Mark> marks_;
  std::vector<bool> changed_;
  std::vector<std::pair<Partition, std::uint64_t>> added_;
};

}  // namespace vouch::sqlite
