// CatalogTables lets the config loader ask the plugin catalog for settings tables. One thread.
#pragma once

#include <string>
#include <vector>

#include "config/config_loader.h"
#include "plugins/plugin_catalog.h"

namespace vouch::app {

class CatalogTables final : public config::PluginTables {
 public:
  /// `catalog` must outlive it.
  explicit CatalogTables(plugins::PluginCatalog& catalog) : catalog_(catalog) {}

  Result<config::PluginTable> table(PluginKind kind, const std::string& plugin,
                                    const std::vector<std::string>& search_path) override;

 private:
  plugins::PluginCatalog& catalog_;
};

/// Where plugins are looked for when these directories are given on the command line.
plugins::SearchPath search_path(std::vector<std::string> command_line);

/// Loads a config file and says every problem on standard error. Empty when it can't be used.
std::optional<config::Config> load_config(const std::string& path, plugins::PluginCatalog& catalog);

}  // namespace vouch::app
