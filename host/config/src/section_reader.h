// SectionReader turns a map of the document into checked values, and every complaint about a value
// into a problem with the place of that value. One thread.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "document.h"
#include "problem_list.h"
#include "vouch/plugin.h"
#include "vouch/values/setting_values.h"

namespace vouch::config {

/// A part of the document: where it is, and what stands there (null: nothing).
struct Section {
  std::string path;
  Place place;
  const Node* node = nullptr;

  /// The part below `key`, which need not exist.
  [[nodiscard]] Section below(const std::string& key) const;
  /// Where the value of `key` stands, or the section's place if it is not given.
  [[nodiscard]] Place value_place(const std::string& key) const;
  /// Whether the value of `key` holds the content of a file, which no message may show.
  [[nodiscard]] bool hides(const std::string& key) const;
};

/// Stands in a message where the value would be shown otherwise.
inline constexpr const char* kHiddenValue = " (the value comes from a file and is not shown)";

class SectionReader {
 public:
  /// `exposed_mode`: permission bits of the file if others may read it, else 0.
  SectionReader(ProblemList& problems, const std::string& base_directory, unsigned exposed_mode)
      : problems_(problems), base_directory_(base_directory), exposed_mode_(exposed_mode) {}

  /// Whether the section can be read as a map. Null and absent ones are empty maps; everything else
  /// is reported.
  bool is_map(const Section& section);

  /// The section's values by the table. `apart` is a key that the caller reads by itself.
  values::SettingValues read(const Section& section, std::span<const SettingSpec> table,
                             std::string_view apart = {});

  /// The same for a plugin's settings, with the plugin's own check when the table finds no fault.
  values::SettingValues read_plugin(const Section& section, std::span<const SettingSpec> table,
                                    void (*validate)(const Settings&, SettingProblems&));

 private:
  /// The member's value as it was written; nothing if it is broken or was reported just now.
  std::optional<values::GivenSetting> given(const Section& section, const Member& member);
  bool text_of(const Node& node, const std::string& path, std::string& text);
  void report(const Section& section, std::span<const SettingSpec> table,
              const values::SettingProblem& problem);
  void warn_of_open_secrets(const Section& section, std::span<const SettingSpec> table);

  ProblemList& problems_;
  const std::string& base_directory_;
  unsigned exposed_mode_;
};

}  // namespace vouch::config
