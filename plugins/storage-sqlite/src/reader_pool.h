// ReaderPool: the sessions that read, opened when first needed, up to a bound. A Lease is used by
// one thread at a time and given back by destruction; the pool is for any thread.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "connection.h"
#include "options.h"
#include "read_statements.h"

namespace vouch::sqlite {

struct ReadSession {
  explicit ReadSession(const Options& options)
      : connection(options, Connection::Mode::read), sql(connection.handle()) {}
  Connection connection;
  ReadStatements sql;
};

class ReaderPool {
 public:
  class Lease {
   public:
    Lease(ReaderPool& pool, std::unique_ptr<ReadSession> session);
    Lease(Lease&&) = default;
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    /// A session that is left because of an exception is closed rather than used again.
    ~Lease();
    ReadStatements* operator->() { return &session_->sql; }
    [[nodiscard]] ReadStatements& sql() { return session_->sql; }

   private:
    ReaderPool* pool_;
    std::unique_ptr<ReadSession> session_;
    int exceptions_;
  };

  explicit ReaderPool(const Options& options) : options_(options) {}
  ReaderPool(const ReaderPool&) = delete;
  ReaderPool& operator=(const ReaderPool&) = delete;
  ~ReaderPool() = default;

  void open();
  /// Closes the idle sessions and refuses leases. Pre: none is out.
  void close();

  /// Waits at most `wait` when all are in use. Throws SqlError, StatusError (unavailable).
  [[nodiscard]] Lease lease(std::chrono::milliseconds wait);
  [[nodiscard]] Lease lease() { return lease(options_.busy_timeout); }

 private:
  void give_back(std::unique_ptr<ReadSession> session);

  const Options& options_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::unique_ptr<ReadSession>> idle_;
  std::uint32_t opened_ = 0;
  bool usable_ = false;
};

/// One snapshot over several statements, for the length of a page.
class ReadTransaction {
 public:
  explicit ReadTransaction(ReadStatements& sql) : sql_(sql) { sql_.begin.execute(); }
  ReadTransaction(const ReadTransaction&) = delete;
  ReadTransaction& operator=(const ReadTransaction&) = delete;
  ~ReadTransaction() { sqlite3_exec(sql_.handle, "COMMIT", nullptr, nullptr, nullptr); }

 private:
  ReadStatements& sql_;
};

}  // namespace vouch::sqlite
