#include "connection.h"

#include <Poco/Data/SQLite/Connector.h>
#include <Poco/Data/SQLite/Utility.h>
#include <Poco/Exception.h>
#include <sys/vfs.h>

#include <algorithm>

namespace vouch::sqlite {

using Poco::Data::Keywords::into;
using Poco::Data::Keywords::now;

namespace {

/// What SQLite said behind a Poco exception.
SqlError said(sqlite3* handle, const Poco::Exception& error) {
  const int code = handle == nullptr ? SQLITE_CANTOPEN : sqlite3_extended_errcode(handle);
  if (code == SQLITE_OK || code == SQLITE_ROW || code == SQLITE_DONE) {
    return {SQLITE_ERROR, error.displayText()};
  }
  return {code, sqlite3_errmsg(handle)};
}

Poco::Data::Session open_session(const std::string& path) {
  try {
    return {Poco::Data::SQLite::Connector::KEY, path};
  } catch (const Poco::Exception& error) {
    throw SqlError(SQLITE_CANTOPEN, error.displayText());
  }
}

std::uint64_t kibibytes(std::uint64_t bytes) {
  return std::max<std::uint64_t>(bytes / 1024, 64);
}

}  // namespace

Connection::Connection(const Options& options, Mode mode)
    : session_(open_session(options.path)),
      handle_(Poco::Data::SQLite::Utility::dbHandle(session_)) {
  sqlite3_extended_result_codes(handle_, 1);
  busy_timeout(options.busy_timeout);
  const bool writes = mode == Mode::write;
  execute("PRAGMA cache_size = -" +
          std::to_string(kibibytes(writes ? options.cache_bytes : options.cache_bytes / 4)));
  execute("PRAGMA mmap_size = " + std::to_string(options.mmap_bytes));
  if (writes) {
    set_up_writer();
  } else {
    execute("PRAGMA query_only = ON");
  }
}

void Connection::set_up_writer() {
  if (sqlite3_db_readonly(handle_, "main") == 1) {
    throw SqlError(SQLITE_READONLY, "the file was opened for reading only");
  }
  // That another mode stayed is no error here; check_durability says so in words.
  static_cast<void>(text("PRAGMA journal_mode = WAL"));
  execute("PRAGMA synchronous = FULL");
  execute("PRAGMA wal_autocheckpoint = 0");  // see checkpointer.h
  // What is deleted is overwritten with zeros
  // (https://www.sqlite.org/pragma.html#pragma_secure_delete): always, since a snapshot that was
  // replaced long ago holds what an erasure is to take away.
  execute("PRAGMA secure_delete = ON");
}

void Connection::busy_timeout(std::chrono::milliseconds timeout) {
  sqlite3_busy_timeout(handle_, static_cast<int>(timeout.count()));
}

void Connection::execute(const std::string& sql) {
  const int code = sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) throw SqlError::of(handle_, code);
}

std::string Connection::text(const std::string& sql) {
  try {
    std::string value;
    session_ << sql, into(value), now;
    return value;
  } catch (const Poco::Exception& error) {
    throw said(handle_, error);
  }
}

std::int64_t Connection::integer(const std::string& sql) {
  try {
    Poco::Int64 value = 0;
    session_ << sql, into(value), now;
    return value;
  } catch (const Poco::Exception& error) {
    throw said(handle_, error);
  }
}

ConnectorRegistration::ConnectorRegistration() {
  Poco::Data::SQLite::Connector::registerConnector();
}

ConnectorRegistration::~ConnectorRegistration() {
  try {
    Poco::Data::SQLite::Connector::unregisterConnector();
  } catch (const Poco::Exception&) {
    // Somebody else took the registration away; there is nothing left to give back.
  }
}

Status check_durability(Connection& connection, const std::string& path) {
  if (sqlite3_threadsafe() == 0) {
    return {StatusCode::failed_precondition,
            "the SQLite library was built without thread safety; install one that has it"};
  }
  const std::string mode = connection.text("PRAGMA journal_mode");
  if (mode != "wal") {
    return {StatusCode::failed_precondition,
            path + " is in journal mode \"" + mode +
                "\" and could not be switched to a write-ahead log; move it to a local file system "
                "with shared memory"};
  }
  constexpr std::int64_t kFull = 2;
  const std::int64_t level = connection.integer("PRAGMA synchronous");
  if (level < kFull) {
    return {StatusCode::failed_precondition,
            "synchronous is " + std::to_string(level) + " on " + path +
                ", below FULL (2): a power cut could lose what was answered as committed"};
  }
  struct statfs info {};
  if (::statfs(path.c_str(), &info) != 0) return {};
  constexpr std::uint32_t kNetworkFileSystems[] = {0x6969U, 0xff534d42U, 0xfe534d42U, 0x517bU};
  const auto type = static_cast<std::uint32_t>(info.f_type);
  if (std::ranges::find(kNetworkFileSystems, type) != std::ranges::end(kNetworkFileSystems)) {
    return {StatusCode::failed_precondition,
            path +
                " lies on a network file system, where SQLite's write-ahead log is not safe; "
                "move it to a local disk"};
  }
  return {};
}

}  // namespace vouch::sqlite
