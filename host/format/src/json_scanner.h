// JsonScanner: checks one JSON text against RFC 8259 in a single pass, without recursion and
// without allocating. One scanner, one thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "format/json_text.h"

namespace vouch::format {

class JsonScanner {
 public:
  /// `text` must outlive the scanner.
  explicit JsonScanner(std::string_view text) : text_(text) {}

  /// Whether the text is one value and nothing else; then `value` is set. May be called once.
  bool scan();

  [[nodiscard]] JsonSlice value() const { return value_; }

  /// Pre: `scan` gave false. Where it stopped and what it missed there.
  [[nodiscard]] std::size_t error_offset() const { return error_offset_; }
  [[nodiscard]] const char* error() const { return error_; }

 private:
  enum class Next : std::uint8_t { value, key, first_key, first_element, after_value };

  bool step();
  bool begin_value();
  bool begin_container(bool object);
  bool end_container();
  bool key();
  bool after_value();
  bool string();
  bool escape();
  bool unicode_escape();
  bool four_hex_digits(std::uint32_t& unit);
  bool number();
  bool digits();
  bool literal(std::string_view word);
  void skip_space();
  bool fail(const char* error);
  bool fail_at(std::size_t offset, const char* error);

  [[nodiscard]] bool at_end() const { return at_ == text_.size(); }
  [[nodiscard]] bool at(char c) const { return at_ < text_.size() && text_[at_] == c; }
  [[nodiscard]] bool in_object() const {
    return ((objects_[(depth_ - 1) / 64] >> ((depth_ - 1) % 64)) & 1U) != 0;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::uint32_t depth_ = 0;
  /// One bit for each open container: whether it is an object.
  std::array<std::uint64_t, (kMaxJsonDepth + 63) / 64> objects_{};
  Next next_ = Next::value;
  JsonSlice value_;
  std::size_t error_offset_ = 0;
  const char* error_ = "";
};

/// The kind of the value that begins with `first`, as far as its first character tells.
JsonKind kind_of(char first);

}  // namespace vouch::format
