#include "reload.h"

#include <map>
#include <sstream>

#include "commands.h"
#include "config/config_loader.h"
#include "plugin_tables.h"

namespace vouch::app {
namespace {

/// Values by setting. Whether a value is written or the default makes no difference.
std::map<std::string, std::string> values_of(const config::Config& config) {
  static constexpr std::string_view kDefault = "  # default";
  std::map<std::string, std::string> values;
  std::istringstream lines(config::show_config(config));
  for (std::string line; std::getline(lines, line);) {
    if (line.ends_with(kDefault)) line.resize(line.size() - kDefault.size());
    const std::size_t colon = line.find(": ");
    if (colon != std::string::npos) values[line.substr(0, colon)] = line.substr(colon + 2);
  }
  return values;
}

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : ", ") + word;
  return out;
}

}  // namespace

std::vector<std::string> changed_settings(const config::Config& before, const config::Config& now) {
  std::map<std::string, std::string> other = values_of(now);
  std::vector<std::string> changed;
  for (const auto& [setting, value] : values_of(before)) {
    const auto found = other.find(setting);
    if (found == other.end() || found->second != value) changed.push_back(setting);
    if (found != other.end()) other.erase(found);
  }
  for (const auto& added : other) changed.push_back(added.first);
  std::erase(changed, "log.level");
  return changed;
}

Reload::Reload(const ServeCommand& command, const config::Config& running,
               observe::Logging& logging)
    : command_(command), running_(running), logging_(logging), level_(running.log.level) {}

void Reload::run() {
  open_log_anew();
  read_config();
}

void Reload::open_log_anew() {
  if (const Status status = logging_.reopen(); !status.ok()) {
    logging_.named("host").error("can't open the log file anew", {{"reason", status.message()}});
  }
}

void Reload::read_config() {
  Logger& log = logging_.named("host");
  // One of its own: that of the host belongs to another thread.
  plugins::PluginCatalog catalog(search_path(command_.plugin_directories));
  CatalogTables tables(catalog);
  const config::LoadedConfig loaded =
      config::load_config_file(command_.config, tables, config::process_environment());
  for (const config::ConfigProblem& problem : loaded.problems) {
    log.log(problem.warning ? LogLevel::warning : LogLevel::error, problem.text(), {});
  }
  if (!loaded.config) {
    log.error("the configuration can't be used; nothing was changed",
              {{"config", command_.config}});
    return;
  }

  const std::string& level = loaded.config->log.level;
  if (level != level_ && logging_.set_level(level).ok()) {
    log.info("the log level changed", {{"from", level_}, {"to", level}});
    level_ = level;
  }
  const std::vector<std::string> waiting = changed_settings(running_, *loaded.config);
  if (!waiting.empty()) {
    log.warning("the configuration changed; restart to take it over",
                {{"settings", joined(waiting)}});
  }
  log.info("reloaded", {{"config", command_.config}});
}

}  // namespace vouch::app
