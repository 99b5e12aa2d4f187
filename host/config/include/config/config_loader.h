// Loads and checks a config file: strict YAML, `${NAME}`, `${NAME:-default}`, `${file:PATH}` and
// `$$` in scalar values (after parsing, so that a secret can't inject structure), all problems at
// once with line and column and the nearest name. Touches no network. Stateless.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "config/config.h"
#include "vouch/plugin.h"

namespace vouch::config {

/// What the loader must know of a plugin.
struct PluginTable {
  std::span<const SettingSpec> settings;
  void (*validate)(const Settings&, SettingProblems&) = nullptr;
};

/// Finds plugins for the loader (and, in tests, pretends to).
class PluginTables {
 public:
  /// `search_path` is the file's own `plugins.search_path`. Errors in words, as the user shall see
  /// them.
  virtual Result<PluginTable> table(PluginKind kind, const std::string& plugin,
                                    const std::vector<std::string>& search_path) = 0;

 protected:
  ~PluginTables() = default;
};

/// Environment variables (in tests, a map).
class Environment {
 public:
  virtual std::optional<std::string> variable(const std::string& name) const = 0;

 protected:
  ~Environment() = default;
};
const Environment& process_environment();

struct ConfigProblem {
  std::string file;
  Place place;
  std::string path;     ///< "append.lanes"; empty for the file as a whole
  std::string message;  ///< what is wrong, and what to do
  bool warning = false;

  /// "vouch.yaml:3:12: error: append.lanes: …"
  [[nodiscard]] std::string text() const;
};

struct LoadedConfig {
  std::optional<Config> config;         ///< set when there is no problem that is not a warning
  std::vector<ConfigProblem> problems;  ///< by line
};

LoadedConfig load_config_file(const std::string& path, PluginTables& plugins,
                              const Environment& environment);
LoadedConfig load_config_text(const std::string& text, const std::string& file_name,
                              const std::string& base_directory, PluginTables& plugins,
                              const Environment& environment);

struct LoadedSettings {
  std::optional<values::SettingValues> values;  ///< set when there is no problem but warnings
  std::vector<ConfigProblem> problems;          ///< by line
};

/// Loads the settings of one plugin from a file of their own, which holds what stands under
/// `settings:` in a config file. For tools that try a plugin without a host.
LoadedSettings load_settings_file(const std::string& path, const PluginTable& table,
                                  const Environment& environment);

/// One section of the host's own settings, for `docs/configuration.md`.
struct SectionTable {
  const char* path;  ///< "append"
  const char* doc;
  bool is_list;
  std::span<const SettingSpec> settings;
};
std::span<const SectionTable> host_sections();

/// Effective settings of a loaded config, one "path: value" a line, secrets redacted, defaults
/// marked.
std::string show_config(const Config& config);

/// A settings table as a Markdown table (docs/configuration.md, `vouch plugins describe`).
std::string settings_markdown(std::span<const SettingSpec> settings);

}  // namespace vouch::config
