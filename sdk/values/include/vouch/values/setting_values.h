// SettingValues: texts as people write them, checked against a settings table and turned into typed
// values. Used by the host for its own sections and for plugins, by the testkit, and by whatever
// else gives settings to a plugin. Immutable after `make`; any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "vouch/settings.h"
#include "vouch/status.h"

namespace vouch::values {

using TextList = std::vector<std::string>;
using TextMap = std::vector<std::pair<std::string, std::string>>;

/// A value as it was written.
struct GivenSetting {
  std::string key;
  std::variant<std::string, TextList, TextMap> value;
};

struct SettingProblem {
  std::string key;
  std::string message;
  /// Index into the given settings, or none when the key was not given (a required one).
  std::optional<std::size_t> given;
};

/// "250us", "10ms", "5s", "2m", "1h", "7d"; nothing when malformed or out of range. "0" is zero.
std::optional<std::chrono::microseconds> parse_duration(std::string_view text);
/// "512", "64KiB", "1MiB", "2GiB" (also KB, MB, GB: powers of 1000).
std::optional<std::uint64_t> parse_size(std::string_view text);

/// "90s", "2m", "250us": the largest unit that leaves no rest.
std::string duration_text(std::chrono::microseconds value);
/// "1MiB", "1500": the largest power of 1024 that leaves no rest.
std::string size_text(std::uint64_t bytes);
/// "between 10ms and 1h", "at least 1", in the unit that people write; empty without a range.
std::string range_text(const SettingSpec& spec);
/// In double quotes, with control characters made visible, cut between two characters to at most
/// `longest` bytes: how messages name a value.
std::string quoted_text(std::string_view text, std::size_t longest = 60);

/// The table key nearest to `key` by edit distance, if one is near enough to be meant.
std::optional<std::string> nearest(std::string_view key, std::span<const std::string_view> known);

class SettingValues final : public Settings {
 public:
  SettingValues() = default;

  /// All problems are reported, not just the first: unknown keys (with the nearest name), wrong
  /// types, ranges, choices, missing required ones. The result is only complete without problems.
  /// `base_directory` makes relative paths absolute when it is not empty.
  static SettingValues make(std::span<const SettingSpec> table, std::vector<GivenSetting> given,
                            std::vector<SettingProblem>& problems,
                            const std::string& base_directory = {});

  [[nodiscard]] bool has(std::string_view key) const override;
  [[nodiscard]] bool boolean(std::string_view key) const override;
  [[nodiscard]] std::int64_t integer(std::string_view key) const override;
  [[nodiscard]] double number(std::string_view key) const override;
  [[nodiscard]] std::string text(std::string_view key) const override;
  [[nodiscard]] std::chrono::microseconds duration(std::string_view key) const override;
  [[nodiscard]] std::uint64_t size(std::string_view key) const override;
  [[nodiscard]] std::vector<std::string> list(std::string_view key) const override;
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> map(
      std::string_view key) const override;

  /// Every key with its effective value as text, secrets as "[secret]", in table order; and whether
  /// it is the default.
  struct Shown {
    std::string key;
    std::string value;
    bool is_default = false;
  };
  [[nodiscard]] std::vector<Shown> shown() const;

 private:
  using Value = std::variant<bool, std::int64_t, double, std::string, std::chrono::microseconds,
                             std::uint64_t, TextList, TextMap>;
  struct Entry {
    SettingSpec spec{};
    std::optional<Value> value;
    std::string written;
    bool is_default = true;
  };
  [[nodiscard]] const Entry& entry(std::string_view key) const;
  template <typename T>
  [[nodiscard]] const T& get(std::string_view key) const;

  std::vector<Entry> entries_;
};

}  // namespace vouch::values
