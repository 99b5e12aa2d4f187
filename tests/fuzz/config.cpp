// Configuration files: any text gives a configuration or problems, each with its place on one line,
// and what comes from a file for a secret setting is never shown. No file is touched: `${file:…}`
// reads what is made up here.
#include <map>
#include <optional>
#include <string>

#include "config/config_loader.h"
#include "files.h"
#include "fuzz_target.h"

namespace vouch::config {

// In place of the room's own files.cpp: these come first for the linker.
Result<std::string> read_file(const std::string& path, std::uintmax_t largest) {
  static const std::map<std::string, std::string> files = {
      {"/scratch/password", "pa55word-in-a-file\n"},
      {"/scratch/text", "warning\n"},
      {"/scratch/empty", ""},
      {"/scratch/yaml", "{ a: 1 }\n# x"}};
  const auto file = files.find(path);
  if (file == files.end()) return Status(StatusCode::not_found, "there is no such file");
  if (file->second.size() > largest) return Status(StatusCode::too_large, "it is too large");
  return file->second;
}

unsigned readable_by_others(const std::string& path) {
  return path.empty() ? 0 : 0644;
}

}  // namespace vouch::config

namespace vouch::fuzz {
namespace {

constexpr std::string_view kPassword = "pa55word-in-a-file";

constexpr SettingSpec kTable[] = {
    {"path", SettingType::path, nullptr, 1, 0, nullptr, kSettingRequired, "The file.", "vouch.db"},
    {"password", SettingType::text, nullptr, 1, 0, nullptr, kSettingSecret, "Password.", nullptr},
    {"pool", SettingType::integer, "4", 1, 64, nullptr, kSettingNone, "Sessions.", nullptr},
    {"ratio", SettingType::number, "0.5", 0, 1, nullptr, kSettingNone, "Part.", nullptr},
    {"timeout", SettingType::duration, "5s", 10, 60'000, nullptr, kSettingAdvanced, "Patience.",
     nullptr},
    {"cache", SettingType::size, "1MiB", 1, 1 << 30, nullptr, kSettingNone, "Cache.", nullptr},
    {"mode", SettingType::choice, "full", 1, 0, "full|normal", kSettingNone, "Mode.", nullptr},
    {"hosts", SettingType::list, nullptr, 1, 0, nullptr, kSettingNone, "Hosts.", nullptr},
    {"extra", SettingType::map, nullptr, 1, 0, nullptr, kSettingNone, "Extra.", nullptr},
    {"fast", SettingType::boolean, "false", 1, 0, nullptr, kSettingNone, "Fast.", nullptr},
};

class Plugins final : public config::PluginTables {
 public:
  Result<config::PluginTable> table(PluginKind kind, const std::string& plugin,
                                    const std::vector<std::string>& /*search_path*/) override {
    if (plugin == (kind == PluginKind::storage ? "storage-a" : "broker-a")) {
      return config::PluginTable{kTable, nullptr};
    }
    return Status(StatusCode::not_found, "there is no such plugin");
  }
};

class Variables final : public config::Environment {
 public:
  [[nodiscard]] std::optional<std::string> variable(const std::string& name) const override {
    if (name == "TEXT") return "debug";
    if (name == "NUMBER") return "7";
    if (name == "EMPTY") return "";
    if (name == "TREE") return "{ a: [1, 2] }";
    return std::nullopt;
  }
};

bool on_one_line(std::string_view text) {
  return text.find('\n') == std::string_view::npos && text.find('\0') == std::string_view::npos;
}

}  // namespace
}  // namespace vouch::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace vouch;
  const std::string text(fuzz::text_of(data, size));
  fuzz::Plugins plugins;
  const fuzz::Variables variables;
  const config::LoadedConfig loaded =
      config::load_config_text(text, "vouch.yaml", "/scratch", plugins, variables);
  bool has_error = false;
  for (const config::ConfigProblem& problem : loaded.problems) {
    has_error = has_error || !problem.warning;
    const std::string words = problem.text();
    fuzz::demand(fuzz::on_one_line(words), "a problem is said on one line", words);
    fuzz::demand(words.find(fuzz::kPassword) == std::string::npos ||
                     text.find(fuzz::kPassword) != std::string::npos,
                 "a file's content stands in no message", words);
  }
  fuzz::demand(loaded.config.has_value() != has_error, "a config, or an error", text);
  if (loaded.config) {
    const std::string shown = config::show_config(*loaded.config);
    fuzz::demand(shown.find("store.name: ") != std::string::npos, "a config can be shown", shown);
  }
  return 0;
}
