#include "plain_text.h"

#include <algorithm>
#include <cstdint>

#include "format/json_text.h"

namespace vouch::config {
namespace {

std::string hex(char byte) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  const auto value = static_cast<std::uint8_t>(byte);
  return {kDigits[value >> 4U], kDigits[value & 0xfU]};
}

bool is_control(char c) {
  return static_cast<std::uint8_t>(c) < 0x20 || c == 0x7f;
}

/// Length of the character at `at`, or 0 if the bytes there are not UTF-8.
std::size_t character_length(std::string_view text, std::size_t at) {
  for (std::size_t length = 1; length <= std::min<std::size_t>(4, text.size() - at); ++length) {
    if (format::is_utf8(text.substr(at, length))) return length;
  }
  return 0;
}

}  // namespace

bool check_plain_text(std::string_view text, ProblemList& problems) {
  Place place{1, 1};
  for (std::size_t at = 0; at < text.size();) {
    const char c = text[at];
    const std::size_t length = character_length(text, at);
    if (length == 0) {
      problems.error(place, "", "is not UTF-8 (byte 0x" + hex(c) + "); save the file as UTF-8");
      return false;
    }
    if (is_control(c) && c != '\n' && c != '\r' && c != '\t') {
      problems.error(place, "",
                     "holds the control character 0x" + hex(c) + "; only text can be here");
      return false;
    }
    at += length;
    if (c == '\n') {
      place = {place.line + 1, 1};
    } else {
      place.column += static_cast<int>(length);
    }
  }
  return true;
}

std::string one_line(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = character_length(text, at);
    if (length == 0 || is_control(text[at])) {
      out += "\\x" + hex(text[at]);
      ++at;
    } else {
      out += text.substr(at, length);
      at += length;
    }
  }
  return out;
}

}  // namespace vouch::config
