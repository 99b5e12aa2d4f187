// Statement: a prepared statement on a session's native handle, and Rows, one execution of it.
// SqlError: what SQLite said. Exceptions of this file never leave the plugin. A statement belongs
// to its session and is used by one thread at a time.
#pragma once

#include <sqlite3.h>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

namespace vouch::sqlite {

class SqlError : public std::runtime_error {
 public:
  SqlError(int extended_code, const std::string& message, int system_error = 0)
      : std::runtime_error(message), extended_code_(extended_code), system_error_(system_error) {}

  /// Takes code and message from the handle's last call.
  static SqlError of(sqlite3* handle, int code);

  [[nodiscard]] int code() const { return extended_code_ & 0xff; }
  [[nodiscard]] int extended_code() const { return extended_code_; }
  /// The errno behind a failed read, write, sync or open; 0 when it is not known.
  [[nodiscard]] int system_error() const { return system_error_; }

 private:
  int extended_code_;
  int system_error_;
};

/// Marks bytes to be bound as BLOB rather than TEXT.
struct Blob {
  std::string_view bytes;
};

/// Text that is bound as NULL when it is empty.
struct Maybe {
  std::string_view text;
};

/// One execution. Its destruction resets the statement, which ends the implicit read transaction.
class Rows {
 public:
  explicit Rows(sqlite3_stmt* statement) : statement_(statement) {}
  Rows(const Rows&) = delete;
  Rows& operator=(const Rows&) = delete;
  ~Rows() { sqlite3_reset(statement_); }

  /// Moves to the next row; false when there is none. Throws SqlError.
  bool next();

  [[nodiscard]] std::int64_t integer(int column) const {
    return sqlite3_column_int64(statement_, column);
  }
  [[nodiscard]] std::uint64_t number(int column) const {
    return static_cast<std::uint64_t>(integer(column));
  }
  [[nodiscard]] std::uint32_t number32(int column) const {
    return static_cast<std::uint32_t>(integer(column));
  }
  [[nodiscard]] bool null(int column) const {
    return sqlite3_column_type(statement_, column) == SQLITE_NULL;
  }
  /// Of a text or blob, without a copy; valid until the next call of `next`.
  [[nodiscard]] std::string_view bytes(int column) const {
    const void* data = sqlite3_column_blob(statement_, column);
    const int size = sqlite3_column_bytes(statement_, column);
    return {static_cast<const char*>(data), static_cast<std::size_t>(size)};
  }

 private:
  sqlite3_stmt* statement_;
};

class Statement {
 public:
  /// Throws SqlError.
  Statement(sqlite3* handle, std::string_view sql);
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;
  ~Statement() { sqlite3_finalize(statement_); }

  /// Binds all parameters in order; texts and blobs must outlive the Rows. Throws SqlError.
  template <typename... Arguments>
  [[nodiscard]] Rows run(const Arguments&... arguments) {
    int index = 0;
    (bind(++index, arguments), ...);
    return Rows(statement_);
  }

  /// Runs to the end and returns the number of changed rows. Throws SqlError.
  template <typename... Arguments>
  int execute(const Arguments&... arguments) {
    Rows rows = run(arguments...);
    while (rows.next()) {
    }
    return sqlite3_changes(sqlite3_db_handle(statement_));
  }

 private:
  template <std::integral Integer>
  void bind(int index, Integer value) {
    check(sqlite3_bind_int64(statement_, index, static_cast<std::int64_t>(value)));
  }
  void bind(int index, std::string_view text) {
    check(sqlite3_bind_text64(statement_, index, text.empty() ? "" : text.data(), text.size(),
                              SQLITE_STATIC, SQLITE_UTF8));
  }
  void bind(int index, Blob blob) {
    check(sqlite3_bind_blob64(statement_, index, blob.bytes.empty() ? "" : blob.bytes.data(),
                              blob.bytes.size(), SQLITE_STATIC));
  }
  void bind(int index, Maybe maybe) {
    if (maybe.text.empty()) return check(sqlite3_bind_null(statement_, index));
    bind(index, maybe.text);
  }
  void check(int code);

  sqlite3_stmt* statement_ = nullptr;
};

}  // namespace vouch::sqlite
