#include "units.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <optional>
#include <utility>

#include "vouch/values/setting_values.h"

namespace vouch::values {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

constexpr std::array<Unit, 6> kDurationUnits{{{"d", 86'400'000'000},
                                              {"h", 3'600'000'000},
                                              {"m", 60'000'000},
                                              {"s", 1'000'000},
                                              {"ms", 1'000},
                                              {"us", 1}}};

constexpr std::array<Unit, 7> kSizeUnits{{{"GiB", 1ULL << 30U},
                                          {"MiB", 1ULL << 20U},
                                          {"KiB", 1ULL << 10U},
                                          {"", 1},
                                          {"GB", 1'000'000'000},
                                          {"MB", 1'000'000},
                                          {"KB", 1'000}}};
constexpr std::size_t kShownSizeUnits = 4;  // powers of 1024 and bytes

std::optional<std::pair<std::uint64_t, std::string_view>> split_number(std::string_view text) {
  std::uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc{}) return std::nullopt;
  return std::pair{number, text.substr(static_cast<std::size_t>(rest - text.data()))};
}

std::optional<std::uint64_t> scale(std::uint64_t number, std::string_view unit,
                                   std::span<const Unit> units, std::uint64_t largest) {
  for (const Unit& known : units) {
    if (known.name != unit) continue;
    if (number > largest / known.factor) return std::nullopt;
    return number * known.factor;
  }
  return std::nullopt;
}

std::string shortest(std::uint64_t value, std::span<const Unit> units) {
  for (const Unit& unit : units) {
    if (value != 0 && value % unit.factor == 0) {
      return std::to_string(value / unit.factor) + std::string(unit.name);
    }
  }
  return "0";
}

/// The bound of a range in the unit that people write.
std::string bound_text(SettingType type, std::int64_t bound) {
  constexpr std::int64_t kMillisInMicros = 1000;
  if (type == SettingType::duration && bound >= 0 &&
      bound <= std::numeric_limits<std::int64_t>::max() / kMillisInMicros) {
    return duration_text(std::chrono::microseconds{bound * kMillisInMicros});
  }
  if (type == SettingType::size && bound >= 0) {
    return size_text(static_cast<std::uint64_t>(bound));
  }
  return std::to_string(bound);
}

}  // namespace

std::optional<std::chrono::microseconds> parse_duration(std::string_view text) {
  if (text == "0") return std::chrono::microseconds{0};
  const auto parts = split_number(text);
  if (!parts) return std::nullopt;
  constexpr auto kLargest = std::uint64_t{std::numeric_limits<std::int64_t>::max()};
  const auto micros = scale(parts->first, parts->second, kDurationUnits, kLargest);
  if (!micros) return std::nullopt;
  return std::chrono::microseconds{static_cast<std::int64_t>(*micros)};
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
  const auto parts = split_number(text);
  if (!parts) return std::nullopt;
  return scale(parts->first, parts->second, kSizeUnits, std::numeric_limits<std::uint64_t>::max());
}

std::string duration_text(std::chrono::microseconds value) {
  if (value.count() < 0) return std::to_string(value.count()) + "us";
  return shortest(static_cast<std::uint64_t>(value.count()), kDurationUnits);
}

std::string size_text(std::uint64_t bytes) {
  return shortest(bytes, std::span(kSizeUnits).first(kShownSizeUnits));
}

std::string range_text(const SettingSpec& spec) {
  if (spec.min > spec.max) return {};
  const bool no_max = spec.max == std::numeric_limits<std::int64_t>::max();
  const bool no_min = spec.min == std::numeric_limits<std::int64_t>::min();
  if (no_max && no_min) return {};
  if (no_max) return "at least " + bound_text(spec.type, spec.min);
  if (no_min) return "at most " + bound_text(spec.type, spec.max);
  return "between " + bound_text(spec.type, spec.min) + " and " + bound_text(spec.type, spec.max);
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const auto end = text.find(separator);
    std::string_view part = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    while (part.starts_with(' ')) part.remove_prefix(1);
    while (part.ends_with(' ')) part.remove_suffix(1);
    parts.emplace_back(part);
  }
  return parts;
}

std::string quoted_text(std::string_view text, std::size_t longest) {
  constexpr std::string_view kHex = "0123456789abcdef";
  const auto continues = [](char c) { return (static_cast<unsigned char>(c) & 0xc0U) == 0x80; };
  std::size_t end = std::min(text.size(), longest);
  while (end > 0 && end < text.size() && continues(text[end])) --end;
  std::string out = "\"";
  for (const char c : text.substr(0, end)) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      out += "\\x";
      out += kHex[byte >> 4U];
      out += kHex[byte & 0xfU];
    } else {
      out += c;
    }
  }
  return out + (end < text.size() ? "…\"" : "\"");
}

}  // namespace vouch::values
