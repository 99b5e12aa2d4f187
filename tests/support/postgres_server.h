// What the tests on PostgreSQL share: where the server is, an administrator's session, a schema of
// a test's own, and a private server that may be killed. One thread, unless a test says otherwise.
#pragma once

#include <libpq-fe.h>
#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace vouch::tests {

/// Where a database is. `host` is an address or the directory of a socket.
struct PostgresAddress {
  std::string host;
  std::uint16_t port = 0;
  std::string database;
  std::string user;
  std::string password;
  std::string parameters = {};  ///< of the connection, as in a URI: "sslmode=require"

  /// Of VOUCH_TEST_POSTGRES; nothing when it is not set: the caller prints `kNoPostgres` and ends.
  static std::optional<PostgresAddress> of_environment();
  /// Throws std::runtime_error for what is no URI.
  static PostgresAddress parse(const std::string& uri);
  [[nodiscard]] std::string uri() const;
};

/// ctest counts a test that prints this as skipped.
inline constexpr const char* kNoPostgres =
    "SKIPPED: VOUCH_TEST_POSTGRES is not set; scripts/services up starts a server and says how";

/// A session of somebody else than the plugin. Everything throws std::runtime_error with the
/// server's words.
class PostgresSession {
 public:
  explicit PostgresSession(const PostgresAddress& address);
  PostgresSession(const PostgresSession&) = delete;
  PostgresSession& operator=(const PostgresSession&) = delete;
  ~PostgresSession() { PQfinish(connection_); }

  /// One or several statements; first column of the last one's first row, empty without rows.
  std::string run(const std::string& sql);

 private:
  PGconn* connection_;
};

/// A name for a schema that nobody else has; the schema is dropped at the end.
class ScratchSchema {
 public:
  explicit ScratchSchema(PostgresAddress address);
  ScratchSchema(const ScratchSchema&) = delete;
  ScratchSchema& operator=(const ScratchSchema&) = delete;
  ~ScratchSchema();
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  PostgresAddress address_;
  std::string name_;
};

/// A server of the test's own, durable, on a free port, as an unprivileged user; gone at the end.
class PrivatePostgres {
 public:
  using Configuration = std::map<std::string, std::string>;

  /// Whether its programs are installed; if not, the caller prints `kNoPrograms` and ends.
  static bool installed();
  static constexpr const char* kNoPrograms = "SKIPPED: postgresql is not installed";

  /// Makes and starts one. Throws std::runtime_error.
  explicit PrivatePostgres(const Configuration& configuration = {});
  PrivatePostgres(const PrivatePostgres&) = delete;
  PrivatePostgres& operator=(const PrivatePostgres&) = delete;
  ~PrivatePostgres();

  /// As its superuser, over TCP.
  [[nodiscard]] const PostgresAddress& address() const { return address_; }
  void start();
  /// kill -9 of all its processes at once.
  void kill();
  /// Starts again as a replica that nobody feeds: it answers reads for ever.
  void become_standby();
  /// Appends to the configuration; takes effect with the next start.
  void configure(const Configuration& configuration);

 private:
  void as_owner(const std::string& command) const;
  [[nodiscard]] bool answers() const;

  std::filesystem::path directory_;
  PostgresAddress address_;
  pid_t process_ = -1;
};

}  // namespace vouch::tests
