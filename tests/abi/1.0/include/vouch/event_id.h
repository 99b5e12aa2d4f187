// EventId: a KSUID, 20 bytes: 4 bytes of seconds since 1,400,000,000 (big endian), then 16 bytes of
// payload. Text form: 27 base62 digits, byte-compatible with segmentio/ksuid
// (https://github.com/segmentio/ksuid, README "How do KSUIDs work?"). Plain values, any thread.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vouch {

struct EventId {
  static constexpr std::size_t kBytes = 20;
  static constexpr std::size_t kTextLength = 27;
  /// KSUID time starts at 2014-05-13T16:53:20Z.
  static constexpr std::int64_t kEpochSeconds = 1'400'000'000;

  std::array<std::uint8_t, kBytes> bytes{};

  auto operator<=>(const EventId&) const = default;

  /// Seconds since the Unix epoch.
  [[nodiscard]] std::int64_t unix_seconds() const {
    const std::uint32_t offset = (std::uint32_t{bytes[0]} << 24U) |
                                 (std::uint32_t{bytes[1]} << 16U) |
                                 (std::uint32_t{bytes[2]} << 8U) | std::uint32_t{bytes[3]};
    return kEpochSeconds + std::int64_t{offset};
  }

  /// The raw bytes as a view, for binding to a database column.
  [[nodiscard]] std::string_view view() const {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }

  /// Of exactly 20 raw bytes; nothing for any other length.
  static std::optional<EventId> from_bytes(std::string_view raw) {
    if (raw.size() != kBytes) return std::nullopt;
    EventId id;
    for (std::size_t i = 0; i < kBytes; ++i) id.bytes[i] = static_cast<std::uint8_t>(raw[i]);
    return id;
  }

  /// Of the 27-digit text form; nothing when the length, a digit or the range is wrong.
  static std::optional<EventId> parse(std::string_view text);

  /// The 27-digit text form.
  [[nodiscard]] std::string to_string() const;
  /// Adds it to `out`.
  void append_to(std::string& out) const;
};

namespace detail {
inline constexpr std::string_view kBase62 =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

constexpr int base62_value(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  if (digit >= 'A' && digit <= 'Z') return digit - 'A' + 10;
  if (digit >= 'a' && digit <= 'z') return digit - 'a' + 36;
  return -1;
}
}  // namespace detail

inline void EventId::append_to(std::string& out) const {
  // Long division of the 160-bit number, five 32-bit limbs, by 62^5, the largest power that keeps a
  // remainder and a limb within 64 bits. Each remainder is five digits; the last one has two.
  constexpr std::uint64_t kFiveDigits = 916'132'832;
  std::array<std::uint32_t, 5> limbs{};
  for (std::size_t i = 0; i < kBytes; ++i) limbs[i / 4] = (limbs[i / 4] << 8U) | bytes[i];
  std::array<char, kTextLength> digits{};
  std::size_t first = 0;  // of the limbs that are not zero
  for (std::size_t end = kTextLength; end > 0;) {
    std::uint64_t remainder = 0;
    while (first < limbs.size() && limbs[first] == 0) ++first;
    for (std::size_t i = first; i < limbs.size(); ++i) {
      const std::uint64_t part = (remainder << 32U) | limbs[i];
      limbs[i] = static_cast<std::uint32_t>(part / kFiveDigits);
      remainder = part % kFiveDigits;
    }
    auto five = static_cast<std::uint32_t>(remainder);
    for (std::size_t i = 0; i < 5 && end > 0; ++i, five /= 62) {
      digits[--end] = detail::kBase62[five % 62];
    }
  }
  out.append(digits.data(), digits.size());
}

inline std::string EventId::to_string() const {
  std::string text;
  append_to(text);
  return text;
}

inline std::optional<EventId> EventId::parse(std::string_view text) {
  if (text.size() != kTextLength) return std::nullopt;
  std::array<std::uint32_t, 5> limbs{};
  for (const char digit : text) {
    const int value = detail::base62_value(digit);
    if (value < 0) return std::nullopt;
    std::uint64_t carry = static_cast<std::uint64_t>(value);
    for (std::size_t i = limbs.size(); i-- > 0;) {
      const std::uint64_t part = std::uint64_t{limbs[i]} * 62 + carry;
      limbs[i] = static_cast<std::uint32_t>(part);
      carry = part >> 32U;
    }
    if (carry != 0) return std::nullopt;  // above 2^160 - 1, "aWgEPTl1tmebfsQzFP4bxwgy80V"
  }
  EventId id;
  for (std::size_t i = 0; i < kBytes; ++i) {
    id.bytes[i] = static_cast<std::uint8_t>(limbs[i / 4] >> (24U - 8U * (i % 4)));
  }
  return id;
}

}  // namespace vouch
