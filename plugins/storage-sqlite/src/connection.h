// Connection: one Poco session on the file, its pragmas, and its native handle. Poco serves
// pragmas, the schema and rare statements; prepared statements on the hot path take `handle()`.
// Used by one thread at a time. Everything throws SqlError.
#pragma once

#include <Poco/Data/Session.h>

#include <chrono>
#include <cstdint>
#include <string>

#include "options.h"
#include "statement.h"
#include "vouch/status.h"

namespace vouch::sqlite {

class Connection {
 public:
  enum class Mode : std::uint8_t {
    write,  ///< write-ahead log, synchronous=FULL
    read,   ///< refuses statements that write
  };

  Connection(const Options& options, Mode mode);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() = default;

  [[nodiscard]] sqlite3* handle() const { return handle_; }
  [[nodiscard]] Poco::Data::Session& session() { return session_; }

  void busy_timeout(std::chrono::milliseconds timeout);
  /// Runs statements without rows, for example a migration.
  void execute(const std::string& sql);
  /// First column of the first row.
  [[nodiscard]] std::string text(const std::string& sql);
  [[nodiscard]] std::int64_t integer(const std::string& sql);

 private:
  void set_up_writer();

  Poco::Data::Session session_;
  sqlite3* handle_ = nullptr;
};

/// Registers Poco's connector for as long as it lives; registrations are counted.
class ConnectorRegistration {
 public:
  ConnectorRegistration();
  ConnectorRegistration(const ConnectorRegistration&) = delete;
  ConnectorRegistration& operator=(const ConnectorRegistration&) = delete;
  ~ConnectorRegistration();
};

/// failed_precondition, in words, when commits of this session would not survive a power cut, or
/// when the file lies where a write-ahead log can't work.
Status check_durability(Connection& connection, const std::string& path);

}  // namespace vouch::sqlite
