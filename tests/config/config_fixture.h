// Plugins and environment that the config tests pretend to have. One thread.
#pragma once

#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "config/config_loader.h"

namespace vouch::config::test {

inline constexpr SettingSpec kStorageTable[] = {
    {"path", SettingType::path, nullptr, 1, 0, nullptr, kSettingRequired, "The file.", "vouch.db"},
    {"password", SettingType::text, nullptr, 1, 0, nullptr, kSettingSecret, "Password.", nullptr},
    {"pool", SettingType::integer, "4", 1, 64, nullptr, kSettingNone, "Sessions.", nullptr},
    {"timeout", SettingType::duration, "5s", 10, 60'000, nullptr, kSettingAdvanced, "Patience.",
     nullptr},
    {"mode", SettingType::choice, "full", 1, 0, "full|normal", kSettingNone, "Mode.", nullptr},
    {"hosts", SettingType::list, nullptr, 1, 0, nullptr, kSettingNone, "Hosts.", nullptr},
    {"extra", SettingType::map, nullptr, 1, 0, nullptr, kSettingNone, "Extra.", nullptr},
};

inline void validate_storage(const Settings& settings, SettingProblems& problems) {
  if (settings.integer("pool") == 13) throw std::runtime_error("no luck");
  if (settings.text("mode") == "normal" && settings.integer("pool") > 8) {
    problems.problem("pool", "must be at most 8 in the mode normal");
  }
}

/// Knows storage-fake and broker-fake.
class FakePlugins final : public PluginTables {
 public:
  Result<PluginTable> table(PluginKind kind, const std::string& plugin,
                            const std::vector<std::string>& search_path) override {
    last_search_path = search_path;
    if (kind == PluginKind::storage && plugin == "storage-fake") {
      return PluginTable{kStorageTable, validate_storage};
    }
    if (kind == PluginKind::broker && plugin == "broker-fake") return PluginTable{};
    return Status(StatusCode::not_found, "no plugin " + plugin + " was found");
  }

  std::vector<std::string> last_search_path;
};

class FakeEnvironment final : public Environment {
 public:
  static FakeEnvironment of(std::map<std::string, std::string> variables) {
    FakeEnvironment environment;
    environment.variables_ = std::move(variables);
    return environment;
  }

  [[nodiscard]] std::optional<std::string> variable(const std::string& name) const override {
    const auto found = variables_.find(name);
    if (found == variables_.end()) return std::nullopt;
    return found->second;
  }

 private:
  std::map<std::string, std::string> variables_;
};

inline FakeEnvironment variables(std::map<std::string, std::string> all) {
  return FakeEnvironment::of(std::move(all));
}

/// What a config needs besides the part under test; two lines.
inline const std::string kRest =
    "storage: { plugin: storage-fake, settings: { path: vouch.db } }\n"
    "brokers: { main: { plugin: broker-fake } }\n";

inline LoadedConfig load(const std::string& text, const FakeEnvironment& environment = {}) {
  FakePlugins plugins;
  return load_config_text(text, "v.yaml", "/etc/vouch", plugins, environment);
}

inline std::string problems_of(const LoadedConfig& loaded) {
  std::string out;
  for (const ConfigProblem& problem : loaded.problems) out += problem.text() + "\n";
  return out;
}

/// A directory of its own for each test, removed at the end.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "vouch-config-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary directory");
    path_ = name;
  }
  ~TemporaryDirectory() { std::filesystem::remove_all(path_); }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

  std::string write(const std::string& name, const std::string& content) const {
    const std::filesystem::path file = path_ / name;
    std::ofstream(file, std::ios::binary) << content;
    return file.string();
  }

 private:
  std::filesystem::path path_;
};

}  // namespace vouch::config::test
