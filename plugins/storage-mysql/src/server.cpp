#include "server.h"

#include <charconv>

namespace vouch::mysql {

namespace {

constexpr unsigned kOldestMariaDb = 10'06'00;
constexpr unsigned kOldestMySql = 8'00'00;

std::string seconds(std::chrono::seconds value) {
  return std::to_string(value.count());
}

std::string milliseconds(std::chrono::seconds value) {
  return std::to_string(std::chrono::milliseconds(value).count());
}

bool on(std::string_view value) {
  return value == "ON" || value == "1";
}

}  // namespace

Server Server::from(std::string_view version_text) {
  Server server;
  server.text = version_text;
  server.flavour =
      version_text.find("MariaDB") == std::string_view::npos ? Flavour::mysql : Flavour::mariadb;
  // Old replication clients are told "5.5.5-" first.
  constexpr std::string_view kDisguise = "5.5.5-";
  if (server.flavour == Flavour::mariadb && version_text.starts_with(kDisguise)) {
    version_text.remove_prefix(kDisguise.size());
  }
  unsigned parts[3] = {0, 0, 0};
  const char* at = version_text.data();
  const char* const end = at + version_text.size();
  for (unsigned& part : parts) {
    const auto parsed = std::from_chars(at, end, part);
    if (parsed.ec != std::errc{} || parsed.ptr == end) break;
    at = parsed.ptr;
    if (*at != '.') break;
    ++at;
  }
  server.version = parts[0] * 10'000 + parts[1] * 100 + parts[2];
  return server;
}

Status Server::supported() const {
  if (version >= (flavour == Flavour::mariadb ? kOldestMariaDb : kOldestMySql)) return {};
  return {StatusCode::failed_precondition, "the server is " + std::string(name()) + " " + text +
                                               "; Vouch needs MariaDB 10.6 or MySQL 8.0, or later"};
}

std::vector<std::string> Server::greeting(SessionRole role, const Options& options) const {
  const bool lane = role == SessionRole::lane;
  std::string set = "SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION'";
  set += ", autocommit = " + std::string(lane ? "0" : "1");
  set += ", innodb_lock_wait_timeout = " + seconds(options.lock_timeout);
  set += ", lock_wait_timeout = " + seconds(options.statement_timeout);
  // A lane idles for hours while nobody appends; the keeper pings every second, so that a longer
  // silence means that its host stopped.
  std::chrono::seconds idle = std::chrono::hours(8);
  if (role == SessionRole::keeper) idle = options.lost_host_timeout;
  if (flavour == Flavour::mariadb) {
    // https://mariadb.com/kb/en/server-system-variables/#idle_transaction_timeout
    set += ", idle_transaction_timeout = " + seconds(options.idle_transaction_timeout);
    set += ", idle_write_transaction_timeout = " + seconds(options.idle_transaction_timeout);
    set += ", max_statement_time = " + seconds(options.statement_timeout);
  } else {
    // MySQL has no time-out of its own for an open transaction, so the session's must do: a lane
    // that idles longer is opened again when it is needed.
    if (lane) idle = options.idle_transaction_timeout;
    set += ", max_execution_time = " + milliseconds(options.statement_timeout);
  }
  set += ", wait_timeout = " + seconds(idle);
  const char* const isolation = role == SessionRole::dirty ? "READ UNCOMMITTED" : "READ COMMITTED";
  return {std::move(set), std::string("SET SESSION TRANSACTION ISOLATION LEVEL ") + isolation};
}

bool ServerVariables::visible_before_durable() const {
  return !on(log_bin) || sync_binlog != "1";
}

Status ServerVariables::durable(const Options& options) const {
  const auto refuse = [&](const std::string& what) {
    return Status(StatusCode::failed_precondition, options.place() + ": " + what);
  };
  if (flush_log_at_commit != "1") {
    return refuse("innodb_flush_log_at_trx_commit is " + flush_log_at_commit +
                  ", so a crash would lose commits that were answered; set it to 1");
  }
  if (!doublewrite.empty() &&
      (doublewrite == "OFF" || doublewrite == "0" || doublewrite == "DETECT_ONLY")) {
    return refuse("innodb_doublewrite is " + doublewrite +
                  ", so a power cut could tear a page; turn it on");
  }
  if (on(log_bin) && binlog_format == "STATEMENT") {
    return refuse(
        "binlog_format is STATEMENT, which can't carry transactions that read what is committed; "
        "set it to ROW or MIXED");
  }
  if (on(wsrep_on)) {
    return refuse(
        "wsrep_on is ON: on a Galera cluster a lock holds on one node only and numbers do not "
        "rise across nodes; use a server with asynchronous or semi-synchronous replicas");
  }
  if (autoinc_increment != "1") {
    return refuse("auto_increment_increment is " + autoinc_increment +
                  ", as for writing on several servers at once; a store has one primary: set it "
                  "to 1");
  }
  if (on(read_only) || on(super_read_only) || on(innodb_read_only)) {
    return {StatusCode::failed_precondition,
            options.place() +
                ": the server is read-only; point the store to the primary, or set read_only off"};
  }
  return {};
}

}  // namespace vouch::mysql
