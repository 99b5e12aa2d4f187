#include "backends.h"

#include <utility>

namespace vouch::app {
namespace {

void log_loaded(HostServices& services, const plugins::LoadedPlugin& plugin) {
  const PluginDescriptor& descriptor = *plugin.descriptor;
  services.logger().info(
      "plugin loaded",
      {{"plugin", descriptor.name}, {"version", descriptor.version}, {"path", plugin.path}});
}

}  // namespace

Backends::Backends(const config::Config& config, plugins::PluginCatalog& catalog,
                   Services& services, plugins::CallWatch* watch)
    : config_(config), catalog_(catalog), services_(services), watch_(watch) {}

Backends::~Backends() {
  close();
}

Status Backends::load() {
  catalog_.add_config_directories(config_.plugins.search_path);
  if (Status status = load_storage(); !status.ok()) return status;
  for (const auto& [name, use] : config_.brokers) {
    if (Status status = load_broker(name, use); !status.ok()) return status;
  }
  return {};
}

Status Backends::load_storage() {
  auto loaded = catalog_.load(PluginKind::storage, config_.storage.plugin);
  if (!loaded.ok()) return loaded.status();
  storage_plugin_ = *loaded;
  HostServices& services = services_.named(storage_plugin_.descriptor->name);
  auto storage =
      catalog_.create_storage(storage_plugin_, services, *config_.storage.settings, watch_);
  if (!storage.ok()) return storage.status();
  storage_ = std::move(storage).value();
  log_loaded(services_.named("host"), storage_plugin_);
  return {};
}

Status Backends::load_broker(const std::string& name, const config::PluginUse& use) {
  auto loaded = catalog_.load(PluginKind::broker, use.plugin);
  if (!loaded.ok()) return loaded.status();
  // Two brokers of one plugin keep their log lines and metrics apart by the configured name.
  HostServices& services = services_.named(std::string(loaded->descriptor->name) + " " + name);
  auto broker = catalog_.create_broker(*loaded, services, *use.settings, name, watch_);
  if (!broker.ok()) return broker.status().with_context("broker " + name);
  brokers_[name] = NamedBroker{*loaded, std::move(broker).value()};
  log_loaded(services_.named("host"), *loaded);
  return {};
}

Status Backends::open_storage() {
  const std::string name = storage_plugin_.descriptor->name;
  if (Status status = storage_->open(); !status.ok()) {
    return status.with_context("can't open the database (" + name + ")");
  }
  if (Status status = storage_->check(); !status.ok()) {
    return status.with_context("the database can't keep the promise (" + name + ")");
  }
  return {};
}

Status Backends::migrate() {
  const StoreIdentity identity{config_.store.name, config_.store.partitions};
  return storage_->migrate(identity).with_context("can't prepare the store " + identity.name);
}

Status Backends::open_brokers() {
  for (auto& [name, named] : brokers_) {
    if (Status status = named.broker->open(); !status.ok()) {
      return status.with_context("can't open the broker " + name);
    }
  }
  return {};
}

void Backends::close() {
  for (auto& [name, named] : brokers_) {
    if (named.broker) named.broker->close();
  }
  if (storage_) storage_->close();
}

}  // namespace vouch::app
