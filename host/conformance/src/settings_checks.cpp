// Whether the settings table is one that a host can check, print and document, and whether values
// that fit it but make no sense are refused in words instead of ending the host.
#include <algorithm>
#include <set>
#include <string>
#include <string_view>

#include "check.h"
#include "vouch/broker.h"
#include "vouch/conformance/case.h"
#include "vouch/storage.h"

namespace vouch::conformance {
namespace {

void expect(bool fulfilled, const std::string& done, std::string_view expected,
            const std::string& came_back) {
  if (!fulfilled) throw ConformanceFailure(done, expected, came_back);
}

bool is_key(std::string_view key) {
  return !key.empty() && key.front() >= 'a' && key.front() <= 'z' &&
         std::ranges::all_of(key, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
         });
}

bool is_scalar(SettingType type) {
  return type != SettingType::list && type != SettingType::map;
}

bool is_known(SettingType type) {
  return static_cast<std::uint32_t>(type) <= static_cast<std::uint32_t>(SettingType::path);
}

/// What the table says of one value of one row; empty when it takes it.
std::string refusal(const SettingSpec& spec, const std::string& text) {
  std::vector<values::SettingProblem> problems;
  values::SettingValues::make(std::span<const SettingSpec>(&spec, 1), {{spec.key, text}}, problems);
  return problems.empty() ? std::string() : problems.front().message;
}

void check_row(const SettingSpec& spec) {
  const std::string row = "read the row of " + std::string(spec.key);
  expect(is_known(spec.type), row, "a type of SettingType",
         std::to_string(static_cast<std::uint32_t>(spec.type)));
  expect(spec.doc != nullptr && *spec.doc != '\0', row, "a line of documentation", "none");
  expect(std::string_view(spec.doc).find('\n') == std::string_view::npos, row,
         "one line of documentation", "several");
  const bool has_choices = spec.choices != nullptr && *spec.choices != '\0';
  expect(has_choices == (spec.type == SettingType::choice), row,
         "choices for the type choice, and for no other",
         has_choices ? spec.choices : "no choices");
  const bool required = (spec.flags & kSettingRequired) != 0;
  expect(!required || spec.default_text == nullptr, row, "no default of what is required",
         spec.default_text == nullptr ? "" : spec.default_text);
  if (!is_scalar(spec.type)) return;
  if (spec.default_text != nullptr) {
    const std::string problem = refusal(spec, spec.default_text);
    expect(problem.empty(), row, "a default that the row takes", problem);
  }
  if (spec.example != nullptr) {
    const std::string problem = refusal(spec, spec.example);
    expect(problem.empty(), row, "an example that the row takes", problem);
  }
}

void table_is_sound(const Options& options, const CasePlace& place) {
  const Trial trial(options, place);
  std::set<std::string> seen;
  for (const SettingSpec& spec : trial.table()) {
    expect(spec.key != nullptr, "read a row of the settings table", "a key", "null");
    expect(is_key(spec.key), "read the key " + std::string(spec.key),
           "small letters, digits and _, a letter first", spec.key);
    expect(seen.insert(spec.key).second, "read the key " + std::string(spec.key), "one row", "two");
    check_row(spec);
  }
}

/// The given settings with one text replaced. A value of another type is left as it is.
class OneOdd final : public Settings {
 public:
  OneOdd(const Settings& rest, std::string key, std::string text)
      : rest_(rest), key_(std::move(key)), text_(std::move(text)) {}

  [[nodiscard]] bool has(std::string_view key) const override {
    return key == key_ || rest_.has(key);
  }
  [[nodiscard]] bool boolean(std::string_view key) const override { return rest_.boolean(key); }
  [[nodiscard]] std::int64_t integer(std::string_view key) const override {
    return rest_.integer(key);
  }
  [[nodiscard]] double number(std::string_view key) const override { return rest_.number(key); }
  [[nodiscard]] std::string text(std::string_view key) const override {
    return key == key_ ? text_ : rest_.text(key);
  }
  [[nodiscard]] std::chrono::microseconds duration(std::string_view key) const override {
    return rest_.duration(key);
  }
  [[nodiscard]] std::uint64_t size(std::string_view key) const override { return rest_.size(key); }
  [[nodiscard]] std::vector<std::string> list(std::string_view key) const override {
    return key == key_ ? std::vector<std::string>{text_} : rest_.list(key);
  }
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> map(
      std::string_view key) const override {
    if (key == key_) return {{text_, text_}};
    return rest_.map(key);
  }

 private:
  const Settings& rest_;
  const std::string key_;
  const std::string text_;
};

class Complaints final : public SettingProblems {
 public:
  void problem(std::string_view key, std::string_view message) override {
    ++count;
    if (message.empty()) mute = key;
  }
  int count = 0;
  std::string mute;  ///< a key that was refused without a word
};

bool takes_any_text(SettingType type) {
  return type == SettingType::text || type == SettingType::path || type == SettingType::list ||
         type == SettingType::map;
}

/// Refused by `validate` or `create`, in words, or made and destroyed: either is good.
void try_odd(Trial& trial, const Settings& settings, const std::string& done) {
  const PluginDescriptor& plugin = trial.plugin();
  Complaints complaints;
  if (plugin.validate != nullptr) {
    try {
      plugin.validate(settings, complaints);
    } catch (const std::exception& error) {
      throw ConformanceFailure(done, "validate to return", error.what());
    }
  }
  expect(complaints.mute.empty(), done, "a refusal in words", "none of " + complaints.mute);
  if (complaints.count > 0) return;
  Plugin* made = nullptr;
  try {
    made = plugin.create(trial.services(), settings);
  } catch (const std::exception& error) {
    expect(*error.what() != '\0', done, "a refusal in words", "an exception without any");
    return;
  }
  if (made != nullptr) plugin.destroy(made);
}

void odd_values_are_survived(const Options& options, const CasePlace& place) {
  Trial trial(options, place);
  const values::SettingValues given = trial.settings();
  const std::pair<const char*, std::string> odd[] = {
      {"nothing", ""},
      {"spaces", "   "},
      {"an odd text", "\x01://::[%zz]@{}\xff;'\"\\"},
      {"10,000 letters", std::string(10'000, 'x')},
  };
  for (const SettingSpec& spec : trial.table()) {
    if (!takes_any_text(spec.type)) continue;
    for (const auto& [name, text] : odd) {
      // The last line of the log, if this ends the process.
      trial.services().logger().info("giving an odd value", {{"key", spec.key}, {"value", name}});
      try_odd(trial, OneOdd(given, spec.key, text),
              "gave " + std::string(spec.key) + " " + name + ", called validate and create");
    }
  }
}

}  // namespace

std::vector<Check> settings_checks() {
  return {
      {"settings.table_is_sound",
       "Each row has a key, a type, a line of documentation, and a default and example that it "
       "takes itself.",
       table_is_sound, false},
      {"settings.odd_values_are_survived",
       "Texts that make no sense are refused in words by validate or create, or later by open.",
       odd_values_are_survived, false},
  };
}

}  // namespace vouch::conformance
