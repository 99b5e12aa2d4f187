// Backends: the database and the brokers that the configuration names, loaded, opened and closed in
// the right order. [startup] and [shutdown], one thread; the objects themselves are [any-thread].
#pragma once

#include <map>
#include <memory>
#include <string>

#include "config/config.h"
#include "plugins/plugin_catalog.h"
#include "services.h"

namespace vouch::app {

class Backends {
 public:
  struct NamedBroker {
    plugins::LoadedPlugin plugin;
    std::unique_ptr<plugins::GuardedBroker> broker;
  };

  /// All references must outlive it, and so must `watch`.
  Backends(const config::Config& config, plugins::PluginCatalog& catalog, Services& services,
           plugins::CallWatch* watch);
  ~Backends();
  Backends(const Backends&) = delete;
  Backends& operator=(const Backends&) = delete;

  /// Loads the plugins and makes their objects; no I/O towards a backend.
  Status load();
  /// Opens the database and refuses settings of it that break the promise.
  Status open_storage();
  /// Creates or compares the schema and the store's identity. Pre: the storage is open.
  Status migrate();
  /// Begins to connect the brokers, which goes on in the background.
  Status open_brokers();
  /// Closes what is open, brokers first. Pre: nobody uses them any more. Idempotent.
  void close();

  /// Pre for all: `load` succeeded.
  [[nodiscard]] Storage& storage() { return *storage_; }
  [[nodiscard]] const plugins::LoadedPlugin& storage_plugin() const { return storage_plugin_; }
  [[nodiscard]] Broker& broker(const std::string& name) { return *brokers_.at(name).broker; }
  [[nodiscard]] const std::map<std::string, NamedBroker>& brokers() const { return brokers_; }

 private:
  Status load_storage();
  Status load_broker(const std::string& name, const config::PluginUse& use);

  const config::Config& config_;
  plugins::PluginCatalog& catalog_;
  Services& services_;
  plugins::CallWatch* const watch_;
  plugins::LoadedPlugin storage_plugin_;
  std::unique_ptr<plugins::GuardedStorage> storage_;
  std::map<std::string, NamedBroker> brokers_;
};

}  // namespace vouch::app
