// Runs of plain characters, UTF-8 sequences and the escaping of JSON strings. Stateless, any
// thread.
#include "text_bytes.h"

#include <bit>
#include <cstring>

#include "format/json_text.h"

namespace vouch::format {
namespace {

constexpr std::uint64_t kOnes = 0x0101010101010101ULL;
constexpr std::uint64_t kHighs = 0x8080808080808080ULL;

/// Eight bytes of the text, the first one lowest.
std::uint64_t load_word(std::string_view text, std::size_t at) {
  std::uint64_t word = 0;
  std::memcpy(&word, text.data() + at, sizeof word);
  if constexpr (std::endian::native == std::endian::big) word = __builtin_bswap64(word);
  return word;
}

constexpr std::uint64_t bytes_below(std::uint64_t word, std::uint64_t limit) {
  return (word - kOnes * limit) & ~word & kHighs;
}

// Both are not zero exactly if one of the eight bytes is meant (Hacker's Delight, section 6-1). The
// lowest bit that is set is of the first such byte: a borrow marks only bytes behind one that is
// meant.

constexpr std::uint64_t quotes_or_backslashes(std::uint64_t word) {
  return bytes_below(word ^ (kOnes * std::uint64_t{'"'}), 1) |
         bytes_below(word ^ (kOnes * std::uint64_t{'\\'}), 1);
}

constexpr std::uint64_t not_plain(std::uint64_t word) {
  return (word & kHighs) | bytes_below(word, 0x20) | quotes_or_backslashes(word);
}

/// Index in the word of the first byte that is meant. Pre: there is one.
std::size_t first_marked(std::uint64_t marks) {
  return static_cast<std::size_t>(std::countr_zero(marks)) / 8;
}

bool is_plain(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
}

bool is_between(std::string_view text, std::size_t at, unsigned low, unsigned high) {
  if (at >= text.size()) return false;
  const auto byte = static_cast<unsigned char>(text[at]);
  return byte >= low && byte <= high;
}

bool is_tail(std::string_view text, std::size_t at) {
  return is_between(text, at, 0x80, 0xbf);
}

void append_control(std::string& out, char c) {
  switch (c) {
    case '\b':
      out += "\\b";
      return;
    case '\f':
      out += "\\f";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      break;
  }
  constexpr std::string_view kHex = "0123456789abcdef";
  const auto byte = static_cast<unsigned char>(c);
  out += "\\u00";
  out += kHex[byte >> 4U];
  out += kHex[byte & 0xfU];
}

}  // namespace

std::size_t plain_end(std::string_view text, std::size_t at) {
  while (text.size() - at >= sizeof(std::uint64_t)) {
    const std::uint64_t marks = not_plain(load_word(text, at));
    if (marks != 0) return at + first_marked(marks);
    at += sizeof(std::uint64_t);
  }
  while (at < text.size() && is_plain(text[at])) ++at;
  return at;
}

std::size_t quote_or_backslash(std::string_view text, std::size_t at) {
  while (text.size() - at >= sizeof(std::uint64_t)) {
    const std::uint64_t marks = quotes_or_backslashes(load_word(text, at));
    if (marks != 0) return at + first_marked(marks);
    at += sizeof(std::uint64_t);
  }
  while (at < text.size() && text[at] != '"' && text[at] != '\\') ++at;
  return at;
}

// The table of RFC 3629, section 4.
std::size_t utf8_length(std::string_view text, std::size_t at) {
  const auto lead = static_cast<unsigned char>(text[at]);
  if (lead < 0x80) return 1;
  if (lead < 0xc2) return 0;
  if (lead < 0xe0) return is_tail(text, at + 1) ? 2 : 0;
  if (lead < 0xf0) {
    const unsigned low = lead == 0xe0 ? 0xa0 : 0x80;
    const unsigned high = lead == 0xed ? 0x9f : 0xbf;
    return is_between(text, at + 1, low, high) && is_tail(text, at + 2) ? 3 : 0;
  }
  if (lead > 0xf4) return 0;
  const unsigned low = lead == 0xf0 ? 0x90 : 0x80;
  const unsigned high = lead == 0xf4 ? 0x8f : 0xbf;
  const bool whole =
      is_between(text, at + 1, low, high) && is_tail(text, at + 2) && is_tail(text, at + 3);
  return whole ? 4 : 0;
}

bool is_utf8(std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    if (text.size() - at >= sizeof(std::uint64_t) && (load_word(text, at) & kHighs) == 0) {
      at += sizeof(std::uint64_t);
      continue;
    }
    const std::size_t length = utf8_length(text, at);
    if (length == 0) return false;
    at += length;
  }
  return true;
}

void append_json_escaped(std::string& out, std::string_view text) {
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t end = plain_end(text, at);
    out.append(text, at, end - at);
    at = end;
    if (at == text.size()) return;
    const char c = text[at];
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
      ++at;
    } else if (static_cast<unsigned char>(c) < 0x20) {
      append_control(out, c);
      ++at;
    } else if (const std::size_t length = utf8_length(text, at); length > 0) {
      out.append(text, at, length);
      at += length;
    } else {
      out += "\xef\xbf\xbd";
      ++at;
    }
  }
}

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  append_json_escaped(out, text);
  out += '"';
}

}  // namespace vouch::format
