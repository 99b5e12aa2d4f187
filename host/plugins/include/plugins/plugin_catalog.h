// PluginCatalog finds and loads plugin libraries (Boost.DLL, and nowhere else). A library is loaded
// only if it is asked for by name or path, checked before anything of it is called, and never
// unloaded. [startup] for all calls; one thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "plugins/guarded_broker.h"
#include "plugins/guarded_storage.h"
#include "vouch/plugin.h"

namespace vouch::plugins {

/// Where plugins are looked for, in this order; the first file found counts, and if it is broken
/// the search ends there.
struct SearchPath {
  std::vector<std::string> command_line;  ///< --plugin-dir
  std::vector<std::string> config;        ///< plugins.search_path
  std::vector<std::string> environment;   ///< VOUCH_PLUGIN_PATH, split at ':'
  std::vector<std::string> built_in;  ///< beside the executable (../lib/vouch/plugins), installed
};

/// `built_in` and `environment` as this process sees them.
SearchPath default_search_path();

struct LoadedPlugin {
  const PluginDescriptor* descriptor = nullptr;
  std::string path;
  /// What the caller should log: the file or its directory can be written by every user.
  std::vector<std::string> warnings;
};

class PluginCatalog {
 public:
  explicit PluginCatalog(SearchPath search_path);
  ~PluginCatalog();
  PluginCatalog(const PluginCatalog&) = delete;
  PluginCatalog& operator=(const PluginCatalog&) = delete;

  /// Adds the config file's directories. Ignored when already added.
  void add_config_directories(const std::vector<std::string>& directories);

  /// Loads and checks a plugin by name ([a-z0-9-]+) or absolute path ending in .so; the same plugin
  /// again is free. Errors: not_found with every path tried and why; failed_precondition for a file
  /// that is there but can't be used: what is wrong, built for which ABI, what to do.
  Result<LoadedPlugin> load(PluginKind kind, const std::string& plugin);

  /// Every *.so on the search path that is a plugin, and for those that are not, why. Each is first
  /// loaded in a child process, since a library's initialiser may end its process.
  struct Listed {
    std::string path;
    std::string name;
    const PluginDescriptor* descriptor = nullptr;  ///< null: not usable
    std::string problem;
  };
  std::vector<Listed> list();

  /// Makes the plugin's object behind its guard. `watch` may be null. Errors: what `create` threw;
  /// wrong kind.
  Result<std::unique_ptr<GuardedStorage>> create_storage(const LoadedPlugin& plugin,
                                                         HostServices& services,
                                                         const Settings& settings,
                                                         CallWatch* watch = nullptr);
  /// `name`: the broker's in the configuration, for metrics and log lines; empty: the plugin's.
  Result<std::unique_ptr<GuardedBroker>> create_broker(const LoadedPlugin& plugin,
                                                       HostServices& services,
                                                       const Settings& settings,
                                                       const std::string& name = {},
                                                       CallWatch* watch = nullptr);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

/// Compares two build tags part by part; empty when they agree, else one phrase for each difference
/// ("C++ standard library: plugin llvm, host gnu").
std::vector<std::string> build_tag_differences(const BuildTag& plugin, const BuildTag& host);

}  // namespace vouch::plugins
