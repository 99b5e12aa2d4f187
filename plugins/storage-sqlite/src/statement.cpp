#include "statement.h"

namespace vouch::sqlite {

namespace {

int last_error(sqlite3_file* file) {
  int error = 0;
  if (file == nullptr || file->pMethods == nullptr) return 0;
  return file->pMethods->xFileControl(file, SQLITE_FCNTL_LAST_ERRNO, &error) == SQLITE_OK ? error
                                                                                          : 0;
}

/// The errno behind an error of that code, as far as SQLite remembers it: the handle knows those of
/// statements, but not of a COMMIT; that one is kept by the file, mostly the write-ahead log.
int system_error_of(sqlite3* handle, int code) {
  const int primary = code & 0xff;
  if (primary != SQLITE_IOERR && primary != SQLITE_CANTOPEN) return 0;
  if (const int error = sqlite3_system_errno(handle); error != 0) return error;
  if (primary != SQLITE_IOERR) return 0;
  for (const int which : {SQLITE_FCNTL_JOURNAL_POINTER, SQLITE_FCNTL_FILE_POINTER}) {
    sqlite3_file* file = nullptr;
    if (sqlite3_file_control(handle, "main", which, &file) != SQLITE_OK) continue;
    if (const int error = last_error(file); error != 0) return error;
  }
  return 0;
}

}  // namespace

SqlError SqlError::of(sqlite3* handle, int code) {
  if (handle == nullptr) return {code, sqlite3_errstr(code)};
  const int extended = sqlite3_extended_errcode(handle);
  const bool same = (extended & 0xff) == (code & 0xff);
  return {same ? extended : code, same ? sqlite3_errmsg(handle) : sqlite3_errstr(code),
          same ? system_error_of(handle, code) : 0};
}

bool Rows::next() {
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  throw SqlError::of(sqlite3_db_handle(statement_), code);
}

Statement::Statement(sqlite3* handle, std::string_view sql) {
  const int code = sqlite3_prepare_v3(handle, sql.data(), static_cast<int>(sql.size()),
                                      SQLITE_PREPARE_PERSISTENT, &statement_, nullptr);
  if (code != SQLITE_OK) throw SqlError::of(handle, code);
}

void Statement::check(int code) {
  if (code != SQLITE_OK) throw SqlError::of(sqlite3_db_handle(statement_), code);
}

}  // namespace vouch::sqlite
