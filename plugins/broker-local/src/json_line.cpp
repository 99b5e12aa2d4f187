// JSON text (RFC 8259) of one message.
#include "json_line.h"

#include <array>
#include <cstdint>

namespace vouch::broker_local {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";

std::uint8_t byte_at(std::string_view text, std::size_t at) {
  return at < text.size() ? static_cast<std::uint8_t>(text[at]) : std::uint8_t{0};
}

bool continuation(std::uint8_t byte) {
  return (byte & 0xC0U) == 0x80U;
}

bool valid_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = utf8_sequence(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

void append_ascii(std::string& out, char c) {
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
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
  const auto byte = static_cast<std::uint8_t>(c);
  if (byte >= 0x20) {
    out += c;
    return;
  }
  out += "\\u00";
  out += kHex[byte >> 4U];
  out += kHex[byte & 0xFU];
}

void append_string(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    const std::size_t length = utf8_sequence(text);
    if (length == 0) {
      out += "\\ufffd";
    } else if (length == 1) {
      append_ascii(out, text.front());
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  out += '"';
}

void append_base64(std::string& out, std::string_view bytes) {
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::uint32_t group = (std::uint32_t{byte_at(bytes, i)} << 16U) |
                                (std::uint32_t{byte_at(bytes, i + 1)} << 8U) |
                                std::uint32_t{byte_at(bytes, i + 2)};
    out += kAlphabet[(group >> 18U) & 0x3FU];
    out += kAlphabet[(group >> 12U) & 0x3FU];
    out += i + 1 < bytes.size() ? kAlphabet[(group >> 6U) & 0x3FU] : '=';
    out += i + 2 < bytes.size() ? kAlphabet[group & 0x3FU] : '=';
  }
}

void append_headers(std::string& out, std::span<const Header> headers) {
  out += '{';
  for (std::size_t i = 0; i < headers.size(); ++i) {
    if (i > 0) out += ',';
    append_string(out, headers[i].name);
    out += ':';
    append_string(out, headers[i].value);
  }
  out += '}';
}

}  // namespace

std::size_t utf8_sequence(std::string_view text) {
  const std::uint8_t first = byte_at(text, 0);
  const std::uint8_t second = byte_at(text, 1);
  if (text.empty()) return 0;
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return continuation(second) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    if (first == 0xE0 && second < 0xA0) return 0;
    if (first == 0xED && second > 0x9F) return 0;
    return continuation(second) && continuation(byte_at(text, 2)) ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    if (first == 0xF0 && second < 0x90) return 0;
    if (first == 0xF4 && second > 0x8F) return 0;
    return continuation(second) && continuation(byte_at(text, 2)) && continuation(byte_at(text, 3))
               ? 4
               : 0;
  }
  return 0;
}

void append_json_line(std::string& out, const Message& message, Partition partition) {
  out += "{\"topic\":";
  append_string(out, message.topic);
  out += ",\"partition\":";
  out += std::to_string(partition.value);
  out += ",\"key\":";
  append_string(out, message.key);
  out += ",\"headers\":";
  append_headers(out, message.headers);
  if (valid_utf8(message.payload)) {
    out += ",\"payload\":";
    append_string(out, message.payload);
  } else {
    out += ",\"payload_base64\":\"";
    append_base64(out, message.payload);
    out += '"';
  }
  out += "}\n";
}

}  // namespace vouch::broker_local
