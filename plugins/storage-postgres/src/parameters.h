// Parameters of a prepared statement in libpq's binary format, and rows of a binary result. Plain
// values of one thread. (Formats: PostgreSQL's typsend functions; arrays as in array_send.)
#pragma once

#include <libpq-fe.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "vouch/types.h"

namespace vouch::postgres {

/// Type ids from pg_type.dat; they never change.
enum class Type : Oid { bytes = 17, int8 = 20, int4 = 23, text = 25 };
enum class ArrayType : Oid { bytes = 1001, int4 = 1007, text = 1009, int8 = 1016 };

/// A column of values, sent as one array.
class Array {
 public:
  explicit Array(ArrayType type);
  void add(std::string_view bytes);  ///< of text or bytes
  void add(std::int64_t value);      ///< of int8
  void add4(std::int32_t value);     ///< of int4
  [[nodiscard]] std::size_t size() const { return count_; }

 private:
  friend class Parameters;
  void begin_item(std::size_t size);
  /// With its header complete.
  std::string take();

  ArrayType type_;
  std::string data_;
  std::uint32_t count_ = 0;
};

class Parameters {
 public:
  Parameters& text(std::string_view value) { return add(Type::text, value); }
  Parameters& bytes(std::string_view value) { return add(Type::bytes, value); }
  Parameters& number(std::uint64_t value) { return number8(static_cast<std::int64_t>(value)); }
  Parameters& number8(std::int64_t value);
  Parameters& number4(std::int64_t value);
  Parameters& array(Array value);

 private:
  friend class Session;
  Parameters& add(Type type, std::string_view value);
  std::vector<Oid> types_;
  std::vector<std::string> values_;
};

/// Rows of one statement. Pre of the getters: row and column exist and have that type.
class Rows {
 public:
  explicit Rows(PGresult* result) : result_(result) {}
  [[nodiscard]] int size() const { return PQntuples(result_.get()); }
  [[nodiscard]] bool empty() const { return size() == 0; }
  /// Of an UPDATE, DELETE or INSERT.
  [[nodiscard]] std::uint64_t affected() const;
  [[nodiscard]] bool null(int row, int column) const {
    return PQgetisnull(result_.get(), row, column) == 1;
  }
  /// Valid as long as these rows.
  [[nodiscard]] std::string_view bytes(int row, int column) const {
    return {PQgetvalue(result_.get(), row, column),
            static_cast<std::size_t>(PQgetlength(result_.get(), row, column))};
  }
  [[nodiscard]] std::string text(int row, int column) const {
    return std::string(bytes(row, column));
  }
  /// Of int2, int4, int8 and bool, by their length.
  [[nodiscard]] std::int64_t integer(int row, int column) const;
  [[nodiscard]] std::uint64_t number(int row, int column) const {
    return static_cast<std::uint64_t>(integer(row, column));
  }
  [[nodiscard]] std::uint32_t number32(int row, int column) const {
    return static_cast<std::uint32_t>(integer(row, column));
  }
  [[nodiscard]] ExecStatusType status() const { return PQresultStatus(result_.get()); }
  /// Of an error; a lost connection's when the server told none.
  [[nodiscard]] std::string sql_state() const {
    const char* state = PQresultErrorField(result_.get(), PG_DIAG_SQLSTATE);
    return state == nullptr ? "00000" : state;
  }
  [[nodiscard]] std::string complaint() const { return PQresultErrorMessage(result_.get()); }
  /// "COMMIT", "INSERT 0 5", …
  [[nodiscard]] std::string_view tag() const { return PQcmdStatus(result_.get()); }

 private:
  struct Clear {
    void operator()(PGresult* result) const { PQclear(result); }
  };
  std::unique_ptr<PGresult, Clear> result_;
};

}  // namespace vouch::postgres
