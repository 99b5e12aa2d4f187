#include "log_line.h"

#include <algorithm>
#include <array>

namespace vouch::observe {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";
constexpr std::string_view kReplacement = "\xef\xbf\xbd";

bool is_control(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

/// Number of bytes of the UTF-8 character at the start of `text`; 0 if there is none.
std::size_t character_length(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0U) != 0x80) return 0;
  }
  // Overlong forms, surrogates, and what lies beyond the last code point.
  const unsigned char second = byte(1);
  const bool illegal = (first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) ||
                       (first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f);
  return illegal ? 0 : length;
}

void append_control(std::string& out, char c) {
  switch (c) {
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
  const auto byte = static_cast<unsigned char>(c);
  out += "\\x";
  out += kHex[byte >> 4U];
  out += kHex[byte & 0xfU];
}

void append_plain(std::string& out, std::string_view text) {
  for (const char c : text) {
    if (is_control(c)) {
      append_control(out, c);
    } else {
      out += c;
    }
  }
}

void append_value(std::string& out, std::string_view text) {
  const auto special = [](char c) { return is_control(c) || c == ' ' || c == '"' || c == '='; };
  if (!text.empty() && std::ranges::none_of(text, special)) {
    out += text;
    return;
  }
  out += '"';
  for (const char c : text) {
    if (is_control(c)) {
      append_control(out, c);
    } else {
      if (c == '"' || c == '\\') out += '\\';
      out += c;
    }
  }
  out += '"';
}

void append_json(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    const char c = text.front();
    const std::size_t length = character_length(text);
    if (length == 0) {
      out += kReplacement;
    } else if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (is_control(c)) {
      out += "\\u00";
      out += kHex[static_cast<unsigned char>(c) >> 4U];
      out += kHex[static_cast<unsigned char>(c) & 0xfU];
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(std::max<std::size_t>(1, length));
  }
  out += '"';
}

}  // namespace

std::string text_line(std::string_view message, std::span<const LogField> fields) {
  std::string out;
  append_plain(out, message);
  for (const LogField& field : fields) {
    out += ' ';
    append_plain(out, field.key);
    out += '=';
    append_value(out, field.value);
  }
  return out;
}

std::string json_members(std::string_view logger, std::string_view message,
                         std::span<const LogField> fields) {
  constexpr std::array<std::string_view, 4> kOwn{"ts", "level", "logger", "msg"};
  std::string out = "\"logger\":";
  append_json(out, logger);
  out += ",\"msg\":";
  append_json(out, message);
  for (const LogField& field : fields) {
    const bool taken = std::ranges::find(kOwn, field.key) != kOwn.end();
    out += ',';
    append_json(out, taken ? "field." + std::string(field.key) : std::string(field.key));
    out += ':';
    append_json(out, field.value);
  }
  return out;
}

}  // namespace vouch::observe
