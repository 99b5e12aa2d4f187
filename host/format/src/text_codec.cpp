// Base64 of both alphabets, and the opaque texts made of it. Stateless, any thread.
#include "format/text_codec.h"

#include <array>
#include <charconv>

#include "text_bytes.h"

namespace vouch::format {
namespace {

constexpr std::string_view kStandard =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kUrl =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

constexpr std::uint8_t kNoDigit = 0xff;
using DigitValues = std::array<std::uint8_t, 256>;

constexpr DigitValues digit_values(std::string_view alphabet) {
  DigitValues values{};
  for (std::uint8_t& value : values) value = kNoDigit;
  for (std::size_t i = 0; i < alphabet.size(); ++i) {
    values[static_cast<unsigned char>(alphabet[i])] = static_cast<std::uint8_t>(i);
  }
  return values;
}

constexpr DigitValues kStandardValues = digit_values(kStandard);
constexpr DigitValues kUrlValues = digit_values(kUrl);

std::uint32_t byte_at(std::string_view bytes, std::size_t at) {
  return static_cast<unsigned char>(bytes[at]);
}

void encode(std::string& out, std::string_view bytes, std::string_view alphabet, bool pad) {
  out.reserve(out.size() + (bytes.size() + 2) / 3 * 4);
  const auto put = [&](std::uint32_t bits, unsigned shift) {
    out += alphabet[(bits >> shift) & 0x3fU];
  };
  std::size_t at = 0;
  for (; bytes.size() - at >= 3; at += 3) {
    const std::uint32_t bits =
        byte_at(bytes, at) << 16U | byte_at(bytes, at + 1) << 8U | byte_at(bytes, at + 2);
    put(bits, 18);
    put(bits, 12);
    put(bits, 6);
    put(bits, 0);
  }
  const std::size_t rest = bytes.size() - at;
  if (rest == 0) return;
  const std::uint32_t second = rest == 2 ? byte_at(bytes, at + 1) : 0;
  const std::uint32_t bits = byte_at(bytes, at) << 16U | second << 8U;
  put(bits, 18);
  put(bits, 12);
  if (rest == 2) put(bits, 6);
  if (pad) out.append(3 - rest, '=');
}

/// Of text without padding. Bits that stand for nothing must be zero, so that each value has one
/// text (RFC 4648, section 3.5).
std::optional<std::string> decode(std::string_view text, const DigitValues& values) {
  if (text.size() % 4 == 1) return std::nullopt;
  std::string out;
  out.reserve(text.size() / 4 * 3 + 2);
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const char c : text) {
    const std::uint8_t value = values[static_cast<unsigned char>(c)];
    if (value == kNoDigit) return std::nullopt;
    bits = bits << 6U | value;
    count += 6;
    if (count >= 8) {
      count -= 8;
      out += static_cast<char>((bits >> count) & 0xffU);
      bits &= (1U << count) - 1;
    }
  }
  if (bits != 0) return std::nullopt;
  return out;
}

constexpr std::string_view kStart = "start";
constexpr std::size_t kMaxNativeBytes = 64;

/// The number of a text in its one canonical form: no sign, no leading zero, lower case.
template <typename Number>
std::optional<Number> canonical_number(std::string_view text, int base) {
  if (text.empty() || (text.size() > 1 && text.front() == '0')) return std::nullopt;
  for (const char c : text) {
    if (c >= 'A' && c <= 'F') return std::nullopt;
  }
  Number number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number, base);
  if (error != std::errc() || stop != end) return std::nullopt;
  return number;
}

}  // namespace

void append_base64(std::string& out, std::string_view bytes) {
  encode(out, bytes, kStandard, true);
}

std::string base64(std::string_view bytes) {
  std::string out;
  encode(out, bytes, kStandard, true);
  return out;
}

std::optional<std::string> from_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  if (text.empty()) return std::string();
  if (text.back() == '=') text.remove_suffix(text[text.size() - 2] == '=' ? 2 : 1);
  return decode(text, kStandardValues);
}

std::string base64url(std::string_view bytes) {
  std::string out;
  encode(out, bytes, kUrl, false);
  return out;
}

std::optional<std::string> from_base64url(std::string_view text) {
  return decode(text, kUrlValues);
}

std::string cursor_text(const Cursor& cursor) {
  return cursor_text(cursor.bytes);
}

std::string cursor_text(std::string_view cursor_bytes) {
  if (cursor_bytes.empty()) return std::string(kStart);
  std::string out = "c";
  encode(out, cursor_bytes, kUrl, false);
  return out;
}

std::optional<Cursor> cursor_from_text(std::string_view text) {
  if (text == kStart) return Cursor{};
  if (text.size() < 2 || text.front() != 'c') return std::nullopt;
  std::optional<std::string> bytes = from_base64url(text.substr(1));
  if (!bytes) return std::nullopt;
  return Cursor{*std::move(bytes)};
}

std::string token_text(const Token& token) {
  char batch[16];
  const auto end = std::to_chars(batch, batch + sizeof batch, token.batch.value, 16).ptr;
  std::string out;
  append_number(out, token.lane.value);
  out += '-';
  out.append(batch, end);
  out += '-';
  encode(out, token.native, kUrl, false);
  return out;
}

std::optional<Token> token_from_text(std::string_view text) {
  const std::size_t first = text.find('-');
  if (first == std::string_view::npos) return std::nullopt;
  const std::size_t second = text.find('-', first + 1);
  if (second == std::string_view::npos) return std::nullopt;
  const auto lane = canonical_number<std::uint32_t>(text.substr(0, first), 10);
  const auto batch =
      canonical_number<std::uint64_t>(text.substr(first + 1, second - first - 1), 16);
  std::optional<std::string> native = from_base64url(text.substr(second + 1));
  if (!lane || !batch || !native || native->size() > kMaxNativeBytes) return std::nullopt;
  return Token{LaneNumber{*lane}, BatchNumber{*batch}, *std::move(native)};
}

}  // namespace vouch::format
