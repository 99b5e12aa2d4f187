// Server: what answers at the other end, and everything that differs between MariaDB and MySQL. The
// MySQL branches follow its 8.0 manual; they are not run by the project's tests, which have MariaDB
// only. Plain values, any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "options.h"
#include "vouch/status.h"

namespace vouch::mysql {

enum class Flavour : std::uint8_t { mariadb, mysql };

/// What a session is for; its isolation and its limits follow from that.
enum class SessionRole : std::uint8_t {
  lane,    ///< open transactions of appends; READ COMMITTED, no autocommit
  work,    ///< reads and small writes; READ COMMITTED, autocommit
  dirty,   ///< sees what is not committed yet; READ UNCOMMITTED, autocommit
  keeper,  ///< holds claims, watches the server
};

struct Server {
  Flavour flavour = Flavour::mariadb;
  unsigned version = 0;  ///< major * 10,000 + minor * 100 + patch
  std::string text;      ///< as the server says it

  /// Of what `SELECT VERSION()` and the handshake say, for example "10.11.19-MariaDB-log".
  static Server from(std::string_view version_text);
  [[nodiscard]] const char* name() const {
    return flavour == Flavour::mariadb ? "MariaDB" : "MySQL";
  }
  /// failed_precondition, in words, for a version that is too old.
  [[nodiscard]] Status supported() const;
  /// What a new session says first.
  [[nodiscard]] std::vector<std::string> greeting(SessionRole role, const Options& options) const;
};

/// Variables of the server that decide about durability, as `SHOW GLOBAL VARIABLES` has them.
struct ServerVariables {
  std::string flush_log_at_commit;  ///< innodb_flush_log_at_trx_commit
  std::string doublewrite;          ///< innodb_doublewrite; empty where there is none
  std::string log_bin;
  std::string sync_binlog;
  std::string binlog_format;
  std::string read_only;
  std::string super_read_only;  ///< MySQL only
  std::string innodb_read_only;
  std::string wsrep_on;  ///< Galera; empty where there is none
  std::string autoinc_increment;

  /// Whether a commit may be seen by others before it is durable (InnoDB gives its locks back
  /// before it syncs; a synced binary log comes first).
  [[nodiscard]] bool visible_before_durable() const;
  /// failed_precondition or unavailable, in words, for a setting that breaks the promise.
  [[nodiscard]] Status durable(const Options& options) const;
};

}  // namespace vouch::mysql
