#include "statement.h"

namespace vouch::sqlite {

SqlError SqlError::of(sqlite3* handle, int code) {
  if (handle == nullptr) return {code, sqlite3_errstr(code)};
  const int extended = sqlite3_extended_errcode(handle);
  const bool same = (extended & 0xff) == (code & 0xff);
  return {same ? extended : code, same ? sqlite3_errmsg(handle) : sqlite3_errstr(code)};
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
