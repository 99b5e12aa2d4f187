#include "statement.h"

#include <algorithm>

namespace vouch::mysql {

namespace {

constexpr std::size_t kSmallBuffer = 1'024;
/// A buffer that grew beyond this is given back with the rows.
constexpr std::size_t kLargestKept = 256U << 10U;

bool is_number(enum_field_types type) {
  switch (type) {
    case MYSQL_TYPE_TINY:
    case MYSQL_TYPE_SHORT:
    case MYSQL_TYPE_INT24:
    case MYSQL_TYPE_LONG:
    case MYSQL_TYPE_LONGLONG:
    case MYSQL_TYPE_DECIMAL:
    case MYSQL_TYPE_NEWDECIMAL:
      return true;
    default:
      return false;
  }
}

}  // namespace

void Param::bind(MYSQL_BIND& bind) {
  bind = {};
  if (kind_ == Kind::bytes) {
    length_ = bytes_.size();
    bind.buffer_type = MYSQL_TYPE_BLOB;
    bind.buffer = const_cast<char*>(bytes_.data());  // only read
    bind.buffer_length = length_;
    bind.length = &length_;
    return;
  }
  bind.buffer_type = MYSQL_TYPE_LONGLONG;
  bind.buffer = &number_;
  bind.is_unsigned = kind_ == Kind::number ? 1 : 0;
}

Statement::Statement(MYSQL* session, std::string_view sql) : handle_(mysql_stmt_init(session)) {
  if (handle_ == nullptr) throw SqlError(mysql_errno(session), mysql_error(session));
  if (mysql_stmt_prepare(handle_.get(), sql.data(), sql.size()) != 0) fail();
  describe();
}

void Statement::fail() {
  throw SqlError(mysql_stmt_errno(handle_.get()), mysql_stmt_error(handle_.get()));
}

void Statement::describe() {
  const std::unique_ptr<MYSQL_RES, decltype(&mysql_free_result)> meta(
      mysql_stmt_result_metadata(handle_.get()), &mysql_free_result);
  if (meta == nullptr) return;
  columns_.resize(mysql_num_fields(meta.get()));
  const MYSQL_FIELD* const fields = mysql_fetch_fields(meta.get());
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    columns_[i].number = is_number(fields[i].type);
    if (!columns_[i].number) columns_[i].bytes.resize(kSmallBuffer);
  }
  column_binds_.resize(columns_.size());
}

void Statement::send(std::span<Param> params) {
  param_binds_.resize(params.size());
  for (std::size_t i = 0; i < params.size(); ++i) params[i].bind(param_binds_[i]);
  if (!params.empty() && mysql_stmt_bind_param(handle_.get(), param_binds_.data()) != 0) fail();
  if (mysql_stmt_execute(handle_.get()) != 0) fail();
}

std::uint64_t Statement::execute(std::span<Param> params) {
  send(params);
  return mysql_stmt_affected_rows(handle_.get());
}

std::uint64_t Statement::execute(std::initializer_list<Param> params) {
  owned_params_.assign(params);
  return execute(std::span<Param>(owned_params_));
}

Rows Statement::run(std::span<Param> params) {
  send(params);
  bind_columns();
  return Rows(*this);
}

Rows Statement::run(std::initializer_list<Param> params) {
  owned_params_.assign(params);
  return run(std::span<Param>(owned_params_));
}

void Statement::bind_columns() {
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    Column& column = columns_[i];
    MYSQL_BIND& bind = column_binds_[i];
    bind = {};
    bind.is_null = &column.null;
    bind.error = &column.error;
    bind.length = &column.length;
    if (column.number) {
      bind.buffer_type = MYSQL_TYPE_LONGLONG;
      bind.buffer = &column.value;
      bind.buffer_length = sizeof column.value;
    } else {
      bind.buffer_type = MYSQL_TYPE_BLOB;
      bind.buffer = column.bytes.data();
      bind.buffer_length = column.bytes.size();
    }
  }
  if (mysql_stmt_bind_result(handle_.get(), column_binds_.data()) != 0) {
    end_rows();
    fail();
  }
}

bool Statement::next() {
  const int fetched = mysql_stmt_fetch(handle_.get());
  if (fetched == MYSQL_NO_DATA) return false;
  if (fetched != 0 && fetched != MYSQL_DATA_TRUNCATED) fail();
  bool grown = false;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    Column& column = columns_[i];
    if (column.null != 0) {
      column.value = 0;
      column.length = 0;
    } else if (!column.number && column.length > column.bytes.size()) {
      grow(i);
      grown = true;
    }
  }
  // The next row is written into the larger buffers.
  if (grown && mysql_stmt_bind_result(handle_.get(), column_binds_.data()) != 0) fail();
  return true;
}

/// Fetches a column again that did not fit.
void Statement::grow(std::size_t index) {
  Column& column = columns_[index];
  column.bytes.resize(std::max<std::size_t>(column.length, 2 * column.bytes.size()));
  MYSQL_BIND& bind = column_binds_[index];
  bind.buffer = column.bytes.data();
  bind.buffer_length = column.bytes.size();
  if (mysql_stmt_fetch_column(handle_.get(), &bind, static_cast<unsigned>(index), 0) != 0) fail();
}

void Statement::end_rows() {
  mysql_stmt_free_result(handle_.get());
  for (Column& column : columns_) {
    if (column.bytes.size() <= kLargestKept) continue;
    column.bytes.resize(kSmallBuffer);
    column.bytes.shrink_to_fit();
  }
}

}  // namespace vouch::mysql
