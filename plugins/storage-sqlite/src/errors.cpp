#include "errors.h"

#include <Poco/Exception.h>

#include <cerrno>
#include <system_error>

namespace vouch::sqlite {

namespace {

/// What SQLite said, and the system's words where it has a reason of its own.
std::string words_of(const SqlError& error) {
  std::string words = " (SQLite: " + std::string(error.what());
  if (error.system_error() != 0) {
    words += ": " + std::generic_category().message(error.system_error());
  }
  return words + ")";
}

Status no_space(const std::string& file, const std::string& said) {
  return {StatusCode::unavailable,
          "no space left for " + file + "; nothing was written; free some space" + said};
}

Status not_writable(const std::string& file, const std::string& said) {
  return {StatusCode::unavailable,
          file +
              " can't be written; check the rights of the file and of its directory, and whether "
              "the file system is mounted read-only" +
              said};
}

}  // namespace

Status status_of(const SqlError& error, std::string_view path) {
  const std::string file(path);
  const std::string said = words_of(error);
  // SQLite knows a full disk, but neither a used-up quota nor a file system that the kernel took
  // the right to write away from (errors=remount-ro).
  if (error.system_error() == EDQUOT) return no_space(file, said);
  if (error.system_error() == EROFS) return not_writable(file, said);
  switch (error.code()) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return {StatusCode::contended,
              "another program holds a lock on " + file +
                  "; nothing was written; end its transaction (a sqlite3 shell, a backup)" + said};
    case SQLITE_FULL:
      return no_space(file, said);
    case SQLITE_READONLY:
      return not_writable(file, said);
    case SQLITE_IOERR:
      return {StatusCode::unavailable, "reading or writing " + file + " failed" + said};
    case SQLITE_CANTOPEN:
      return {StatusCode::unavailable,
              "can't open " + file + " or a file beside it (-wal, -shm)" + said};
    case SQLITE_PROTOCOL:
    case SQLITE_NOMEM:
      return {StatusCode::unavailable, "SQLite can't work on " + file + " now" + said};
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return {StatusCode::permission_denied, "no right to use " + file + said};
    case SQLITE_CORRUPT:
      return {StatusCode::corrupt, file + " is damaged; restore it from a backup" + said};
    case SQLITE_NOTADB:
      return {StatusCode::failed_precondition,
              file + " is not a SQLite database; give another path" + said};
    case SQLITE_TOOBIG:
      return {StatusCode::too_large, "a row is larger than SQLite's limit" + said};
    default:
      return {StatusCode::internal, "an unexpected answer for " + file + said};
  }
}

bool breaks_session(const SqlError& error) {
  switch (error.code()) {
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_PROTOCOL:
    case SQLITE_NOMEM:
    case SQLITE_MISUSE:
      return true;
    default:
      return false;
  }
}

bool commit_in_doubt(const SqlError& error) {
  switch (error.code()) {
    case SQLITE_BUSY:
    case SQLITE_FULL:
    case SQLITE_READONLY:
      return false;
    default:
      return error.extended_code() != SQLITE_IOERR_WRITE;
  }
}

Status status_of_current_exception(std::string_view path) {
  try {
    throw;
  } catch (const StatusError& error) {
    return error.status();
  } catch (const SqlError& error) {
    return status_of(error, path);
  } catch (const Poco::Exception& error) {
    return {StatusCode::unavailable, std::string(path) + ": " + error.displayText()};
  } catch (const std::bad_alloc&) {
    return {StatusCode::unavailable, "out of memory"};
  } catch (const std::exception& error) {
    return {StatusCode::internal, error.what()};
  }
}

}  // namespace vouch::sqlite
