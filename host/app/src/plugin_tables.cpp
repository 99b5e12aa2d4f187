#include "plugin_tables.h"

#include <cstdio>
#include <utility>

#include "terminal.h"

namespace vouch::app {

Result<config::PluginTable> CatalogTables::table(PluginKind kind, const std::string& plugin,
                                                 const std::vector<std::string>& search_path) {
  catalog_.add_config_directories(search_path);
  auto loaded = catalog_.load(kind, plugin);
  if (!loaded.ok()) return loaded.status();
  const PluginDescriptor& descriptor = *loaded->descriptor;
  return config::PluginTable{{descriptor.settings, descriptor.setting_count}, descriptor.validate};
}

plugins::SearchPath search_path(std::vector<std::string> command_line) {
  plugins::SearchPath path = plugins::default_search_path();
  path.command_line = std::move(command_line);
  return path;
}

std::optional<config::Config> load_config(const std::string& path,
                                          plugins::PluginCatalog& catalog) {
  CatalogTables tables(catalog);
  config::LoadedConfig loaded =
      config::load_config_file(path, tables, config::process_environment());
  std::size_t errors = 0;
  for (const config::ConfigProblem& problem : loaded.problems) {
    std::fprintf(stderr, "%s\n", problem.text().c_str());
    if (!problem.warning) ++errors;
  }
  if (!loaded.config) {
    say(std::to_string(errors) + (errors == 1 ? " problem in " : " problems in ") + path);
  }
  return std::move(loaded.config);
}

}  // namespace vouch::app
