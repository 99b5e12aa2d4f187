#include "parameters.h"

#include <charconv>

namespace vouch::postgres {
namespace {

template <typename Integer>
void put(std::string& out, Integer value) {
  for (int shift = 8 * (static_cast<int>(sizeof value) - 1); shift >= 0; shift -= 8) {
    out.push_back(static_cast<char>(static_cast<std::uint8_t>(value >> shift)));
  }
}

/// Dimensions, a flag for nulls, the items' type, length, lower bound.
constexpr std::size_t kArrayHeader = 20;

std::uint32_t item_type(ArrayType type) {
  switch (type) {
    case ArrayType::bytes:
      return static_cast<std::uint32_t>(Type::bytes);
    case ArrayType::int4:
      return static_cast<std::uint32_t>(Type::int4);
    case ArrayType::text:
      return static_cast<std::uint32_t>(Type::text);
    case ArrayType::int8:
      break;
  }
  return static_cast<std::uint32_t>(Type::int8);
}

}  // namespace

Array::Array(ArrayType type) : type_(type), data_(kArrayHeader, '\0') {}

void Array::begin_item(std::size_t size) {
  put(data_, static_cast<std::uint32_t>(size));
  ++count_;
}

void Array::add(std::string_view bytes) {
  begin_item(bytes.size());
  data_.append(bytes);
}

void Array::add(std::int64_t value) {
  begin_item(sizeof value);
  put(data_, static_cast<std::uint64_t>(value));
}

void Array::add4(std::int32_t value) {
  begin_item(sizeof value);
  put(data_, static_cast<std::uint32_t>(value));
}

std::string Array::take() {
  std::string header;
  put(header, std::uint32_t{count_ > 0 ? 1U : 0U});
  put(header, std::uint32_t{0});
  put(header, item_type(type_));
  if (count_ > 0) {
    put(header, count_);
    put(header, std::uint32_t{1});
  }
  data_.replace(0, kArrayHeader, header);
  return std::move(data_);
}

Parameters& Parameters::add(Type type, std::string_view value) {
  types_.push_back(static_cast<Oid>(type));
  values_.emplace_back(value);
  return *this;
}

Parameters& Parameters::number8(std::int64_t value) {
  std::string bytes;
  put(bytes, static_cast<std::uint64_t>(value));
  return add(Type::int8, bytes);
}

Parameters& Parameters::number4(std::int64_t value) {
  std::string bytes;
  put(bytes, static_cast<std::uint32_t>(value));
  return add(Type::int4, bytes);
}

Parameters& Parameters::array(Array value) {
  types_.push_back(static_cast<Oid>(value.type_));
  values_.push_back(value.take());
  return *this;
}

std::uint64_t Rows::affected() const {
  const std::string_view text = PQcmdTuples(result_.get());
  std::uint64_t count = 0;
  std::from_chars(text.data(), text.data() + text.size(), count);
  return count;
}

std::int64_t Rows::integer(int row, int column) const {
  const std::string_view raw = bytes(row, column);
  std::uint64_t value = 0;
  for (const char c : raw) value = (value << 8U) | static_cast<std::uint8_t>(c);
  if (raw.size() == 4) return static_cast<std::int32_t>(static_cast<std::uint32_t>(value));
  if (raw.size() == 2) return static_cast<std::int16_t>(static_cast<std::uint16_t>(value));
  return static_cast<std::int64_t>(value);
}

}  // namespace vouch::postgres
