// Settings are data: a plugin declares a table, the host validates the YAML against it, applies
// defaults, redacts secrets, prints it (`vouch plugins describe`), and generates the docs. A plugin
// never parses YAML.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vouch {

enum class SettingType : std::uint32_t {
  boolean = 0,  ///< true, false
  integer = 1,  ///< 64-bit, decimal
  number = 2,   ///< double
  text = 3,
  duration = 4,  ///< 250us, 10ms, 5s, 2m, 1h, 7d
  size = 5,      ///< bytes: 512, 64KiB, 1MiB, 2GiB
  choice = 6,    ///< one of `choices`
  list = 7,      ///< of texts
  map = 8,       ///< of texts to texts
  path = 9,      ///< of a file; a relative one counts from the directory of the config file
};

enum SettingFlags : std::uint32_t {
  kSettingNone = 0,
  kSettingRequired = 1U << 0U,
  kSettingSecret = 1U << 1U,      ///< shown as [secret] everywhere
  kSettingReloadable = 1U << 2U,  ///< may change while the host runs
  kSettingAdvanced = 1U << 3U,    ///< listed last
};

/// One row of a settings table. All texts are string literals. `min` and `max` count for integer,
/// number, duration (milliseconds) and size (bytes), when `min <= max`; {1, 0} means no range.
struct SettingSpec {
  const char* key;
  SettingType type;
  const char* default_text;  ///< null: none
  std::int64_t min;
  std::int64_t max;
  const char* choices;  ///< "a|b|c"; null unless `type` is choice
  std::uint32_t flags;
  const char* doc;      ///< one line
  const char* example;  ///< null: none
};

/// Typed values by key, valid and complete: defaults are applied, ranges hold. Asking for a key
/// that the table does not have, or by another type, is a defect of the plugin and throws
/// std::logic_error. [any-thread]
class Settings {
 public:
  /// Whether there is a value (given, or by default).
  [[nodiscard]] virtual bool has(std::string_view key) const = 0;
  [[nodiscard]] virtual bool boolean(std::string_view key) const = 0;
  [[nodiscard]] virtual std::int64_t integer(std::string_view key) const = 0;
  [[nodiscard]] virtual double number(std::string_view key) const = 0;
  /// Of a text, choice or path.
  [[nodiscard]] virtual std::string text(std::string_view key) const = 0;
  [[nodiscard]] virtual std::chrono::microseconds duration(std::string_view key) const = 0;
  [[nodiscard]] virtual std::uint64_t size(std::string_view key) const = 0;
  [[nodiscard]] virtual std::vector<std::string> list(std::string_view key) const = 0;
  [[nodiscard]] virtual std::vector<std::pair<std::string, std::string>> map(
      std::string_view key) const = 0;

 protected:
  ~Settings() = default;
};

/// Takes complaints about values that fit the table one by one but not together.
class SettingProblems {
 public:
  virtual void problem(std::string_view key, std::string_view message) = 0;

 protected:
  ~SettingProblems() = default;
};

}  // namespace vouch
