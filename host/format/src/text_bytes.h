// What the JSON readers and writers of this room know about bytes: runs of plain characters, UTF-8
// sequences, numbers as text. Stateless, any thread.
#pragma once

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace vouch::format {

/// Index of the first byte from `at` on that is not plain inside a JSON string: a control
/// character, a quote, a backslash, or part of a multi-byte sequence. `text.size()` if there is
/// none.
std::size_t plain_end(std::string_view text, std::size_t at);

/// Index of the first quote or backslash from `at` on, or `text.size()`.
std::size_t quote_or_backslash(std::string_view text, std::size_t at);

/// Length of the well-formed UTF-8 sequence at `at` (1 to 4), or 0. Pre: `at < text.size()`.
std::size_t utf8_length(std::string_view text, std::size_t at);

/// Appends `text` as the inside of a JSON string, without the quotes.
void append_json_escaped(std::string& out, std::string_view text);

void append_base64(std::string& out, std::string_view bytes);

inline void append_number(std::string& out, std::uint64_t number) {
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  out.append(digits, end);
}

inline bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// Value of a hexadecimal digit of either case, or -1.
inline int hex_value(char c) {
  if (is_digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace vouch::format
