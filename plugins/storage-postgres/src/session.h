// Session: one connection to the database. Poco opens and owns it and serves the schema and rare
// statements; what is on the hot path goes through the native handle: prepared once, binary both
// ways, several statements in one round trip (libpq's pipeline mode), never longer than the
// deadline. Used by one thread at a time. Everything throws SqlError; opening one throws
// StatusError (failed_precondition) when the server is too old.
#pragma once

#include <Poco/Data/Session.h>
#include <libpq-fe.h>

#include <chrono>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "options.h"
#include "parameters.h"

namespace vouch::postgres {

/// "PostgreSQL 15.3" for 150003, as libpq counts.
std::string version_words(int version);

/// A statement that is prepared at its first use in a session. Both texts are literals.
struct Sql {
  const char* name;
  const char* text;
};

/// One step of a round trip.
struct Step {
  const Sql* sql;
  Parameters parameters;
};

/// Poco's session with its native handle. Poco gives a connection back only while that is whole: a
/// broken one, and one that could not be made, it leaves behind with all its memory. So whether a
/// connection can be made is tried without it first, and a broken one is freed behind its back.
class Connection {
 public:
  /// Throws SqlError.
  Connection(const Options& options, const std::string& purpose);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection();
  [[nodiscard]] Poco::Data::Session& session() { return *session_; }
  [[nodiscard]] PGconn* native() const { return native_; }

 private:
  std::optional<Poco::Data::Session> session_;
  PGconn* native_ = nullptr;
};

class Session {
 public:
  /// Connects and sets the session up. `purpose` is shown in pg_stat_activity.
  Session(const Options& options, const std::string& purpose);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session() = default;

  /// One statement, one round trip.
  Rows run(const Sql& sql, Parameters parameters = {});
  /// Several statements in order, in one round trip. The first error is thrown; what followed it
  /// was not executed. A transaction that was open then is failed.
  std::vector<Rows> run(std::vector<Step> steps);

  /// Statements without rows, several at once: a migration.
  void execute(const std::string& sql);
  /// Through Poco: first column of the first row; empty without rows.
  [[nodiscard]] std::string text(const std::string& sql);

  /// Process id of the server's side, and when it started (microseconds since 1970): together they
  /// name this session for ever.
  [[nodiscard]] int backend() const { return PQbackendPID(connection_); }
  [[nodiscard]] std::int64_t started() const { return started_; }
  /// When this side had it, by the steady clock.
  [[nodiscard]] std::chrono::steady_clock::time_point opened() const { return opened_; }
  [[nodiscard]] int server_version() const { return PQserverVersion(connection_); }
  /// False once the connection is known to be lost.
  [[nodiscard]] bool usable() const { return usable_; }

 private:
  using Time = std::chrono::steady_clock::time_point;

  void set_up(const Options& options);
  void send(const Step& step);
  void flush(Time deadline);
  void wait(short events, Time deadline);
  /// The next result of the pipeline; null between statements.
  PGresult* next_result(Time deadline);
  [[noreturn]] void lost(const std::string& what);

  Connection owner_;
  PGconn* connection_;
  std::chrono::milliseconds patience_;
  std::int64_t started_ = 0;
  std::chrono::steady_clock::time_point opened_ = std::chrono::steady_clock::now();
  bool usable_ = true;
  std::unordered_set<std::string> prepared_;
};

}  // namespace vouch::postgres
