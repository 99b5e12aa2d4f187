// What the tests on MariaDB share: where the server is, an administrator's session, a database of a
// test's own, and a private server that may be killed. One thread, unless a test says otherwise.
#pragma once

#include <mysql/mysql.h>
#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace vouch::tests {

/// Where a server is. `host` is an address.
struct MysqlAddress {
  std::string host;
  std::uint16_t port = 0;
  std::string user;
  std::string password;

  /// Of VOUCH_TEST_MYSQL; nothing when it is not set: the caller prints `kNoMysql` and ends.
  static std::optional<MysqlAddress> of_environment();
  [[nodiscard]] std::string uri(const std::string& database) const;
};

/// ctest counts a test that prints this as skipped.
inline constexpr const char* kNoMysql =
    "SKIPPED: VOUCH_TEST_MYSQL is not set; scripts/services up starts a server and says how";

/// A session of somebody else than the plugin. Everything throws std::runtime_error with the
/// server's words.
class MysqlSession {
 public:
  explicit MysqlSession(const MysqlAddress& address, const std::string& database = {});
  MysqlSession(const MysqlSession&) = delete;
  MysqlSession& operator=(const MysqlSession&) = delete;
  ~MysqlSession() { mysql_close(connection_); }

  /// One statement; first column of its first row, empty without rows.
  std::string run(const std::string& sql);
  /// First column of all rows.
  std::vector<std::string> column(const std::string& sql);

 private:
  MYSQL* connection_;
};

/// A database that nobody else has; dropped at the end, if the server still answers.
class ScratchDatabase {
 public:
  explicit ScratchDatabase(MysqlAddress address);
  ScratchDatabase(const ScratchDatabase&) = delete;
  ScratchDatabase& operator=(const ScratchDatabase&) = delete;
  ~ScratchDatabase();
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  MysqlAddress address_;
  std::string name_;
};

/// A MariaDB server of the test's own, durable, without a binary log unless told, on a free port,
/// as an unprivileged user; gone at the end.
class PrivateMysql {
 public:
  /// Whether its programs are installed; if not, the caller prints `kNoPrograms` and ends.
  static bool installed();
  static constexpr const char* kNoPrograms = "SKIPPED: mariadb-server is not installed";

  /// Makes and starts one. `arguments` of the server, for example "--log-bin=bin". Throws
  /// std::runtime_error.
  explicit PrivateMysql(std::vector<std::string> arguments = {});
  PrivateMysql(const PrivateMysql&) = delete;
  PrivateMysql& operator=(const PrivateMysql&) = delete;
  ~PrivateMysql();

  /// As its administrator, over TCP.
  [[nodiscard]] const MysqlAddress& address() const { return address_; }
  [[nodiscard]] std::filesystem::path data_directory() const { return directory_ / "data"; }
  void start();
  /// kill -9.
  void kill();
  /// SIGSTOP and SIGCONT.
  void freeze(bool frozen) const;
  /// Replaces the arguments; takes effect with the next start.
  void configure(std::vector<std::string> arguments) { arguments_ = std::move(arguments); }

 private:
  void install() const;
  [[nodiscard]] bool answers() const;

  std::filesystem::path directory_;
  std::vector<std::string> arguments_;
  MysqlAddress address_;
  pid_t process_ = -1;
};

}  // namespace vouch::tests
