// PluginCatalog: search, look, check, load, create.
#include "plugins/plugin_catalog.h"

#include <filesystem>
#include <map>
#include <utility>

#include "name_conflict.h"
#include "plugin_search.h"
#include "plugins/descriptor_check.h"
#include "plugins/elf_look.h"
#include "plugins/plugin_library.h"

namespace vouch::plugins {

class PluginCatalog::Impl {
 public:
  explicit Impl(SearchPath path) : search(std::move(path)) {}

  Result<std::string> path_of(PluginKind kind, const std::string& plugin) const;
  Result<LoadedPlugin> load_file(const std::string& path);

  PluginSearch search;
  std::map<std::string, LoadedPlugin> loaded;  ///< by path
};

Result<std::string> PluginCatalog::Impl::path_of(PluginKind kind, const std::string& plugin) const {
  if (PluginSearch::is_name(plugin)) return search.find(kind, plugin);
  const std::filesystem::path path(plugin);
  if (!path.is_absolute() || path.extension() != ".so") {
    return Status(StatusCode::not_found,
                  "'" + plugin +
                      "' is neither a plugin's name (small letters, digits, '-') nor an absolute "
                      "path that ends in .so");
  }
  std::error_code error;
  const auto status = std::filesystem::status(path, error);
  if (status.type() == std::filesystem::file_type::not_found) {
    return Status(StatusCode::not_found, "there is no plugin " + plugin + ": no such file");
  }
  if (error) {
    return Status(StatusCode::not_found,
                  "there is no plugin " + plugin + " to be seen: " + error.message());
  }
  return path.lexically_normal().string();
}

Result<LoadedPlugin> PluginCatalog::Impl::load_file(const std::string& path) {
  const auto known = loaded.find(path);
  if (known != loaded.end()) return known->second;

  const Result<DescriptorHead> head = look_into(path);
  if (!head.ok()) return head.status();
  if (Status status = check_head(path, *head); !status.ok()) return status;
  if (Status status = check_library_names(path); !status.ok()) return status;
  // An initialiser that throws or crashes would end the host without a word.
  if (Status status = try_library(path); !status.ok()) return status;
  const Result<const PluginDescriptor*> descriptor = load_library(path);
  if (!descriptor.ok()) return descriptor.status();
  if (Status status = check_descriptor(path, **descriptor); !status.ok()) return status;

  LoadedPlugin plugin{*descriptor, path, writable_by_others(path)};
  loaded.emplace(path, plugin);
  return plugin;
}

PluginCatalog::PluginCatalog(SearchPath search_path)
    : impl_(std::make_unique<Impl>(std::move(search_path))) {}

PluginCatalog::~PluginCatalog() = default;

void PluginCatalog::add_config_directories(const std::vector<std::string>& directories) {
  impl_->search.add_config_directories(directories);
}

Result<LoadedPlugin> PluginCatalog::load(PluginKind kind, const std::string& plugin) {
  const Result<std::string> path = impl_->path_of(kind, plugin);
  if (!path.ok()) return path.status();
  Result<LoadedPlugin> loaded = impl_->load_file(*path);
  if (!loaded.ok()) return loaded;
  if (Status status = check_kind(*path, *loaded->descriptor, kind); !status.ok()) return status;
  return loaded;
}

std::vector<PluginCatalog::Listed> PluginCatalog::list() {
  std::vector<Listed> plugins;
  std::map<std::string, std::string> first_of;  // name to path
  for (const std::string& path : impl_->search.all()) {
    Listed listed;
    listed.path = path;
    listed.name = std::filesystem::path(path).stem().string();
    const auto [first, is_first] = first_of.emplace(listed.name, path);
    if (!is_first) {
      listed.problem = path + " is not used: " + first->second + " comes first";
    } else if (const Result<LoadedPlugin> loaded = impl_->load_file(path); loaded.ok()) {
      listed.descriptor = loaded->descriptor;
    } else {
      listed.problem = loaded.status().message();
    }
    plugins.push_back(std::move(listed));
  }
  return plugins;
}

namespace {

/// The plugin's object. `name` is what its calls go by. Errors: what `create` threw.
Result<Plugin*> make(const LoadedPlugin& plugin, PluginKind kind, const std::string& name,
                     HostServices& services, const Settings& settings, CallWatch* watch) {
  if (Status status = check_kind(plugin.path, *plugin.descriptor, kind); !status.ok()) {
    return status;
  }
  const auto failed = [&](const std::string& why) {
    return Status(StatusCode::failed_precondition, std::string("plugin ") +
                                                       plugin.descriptor->name + " (" +
                                                       plugin.path + ") can't be created: " + why);
  };
  const CallWatch::Call watched(watch, name, "create", std::chrono::steady_clock::now());
  try {
    Plugin* const object = plugin.descriptor->create(services, settings);
    if (object == nullptr) return failed("its create gave nothing; report it to its vendor");
    return object;
  } catch (const std::exception& error) {
    return failed(error.what());
  } catch (...) {
    return failed("its create threw something that is no std::exception");
  }
}

}  // namespace

Result<std::unique_ptr<GuardedStorage>> PluginCatalog::create_storage(const LoadedPlugin& plugin,
                                                                      HostServices& services,
                                                                      const Settings& settings,
                                                                      CallWatch* watch) {
  const std::string name = plugin.descriptor->name;
  const Result<Plugin*> object = make(plugin, PluginKind::storage, name, services, settings, watch);
  if (!object.ok()) return object.status();
  return std::make_unique<GuardedStorage>(static_cast<Storage*>(*object),
                                          plugin.descriptor->destroy, name, services, watch);
}

Result<std::unique_ptr<GuardedBroker>> PluginCatalog::create_broker(
    const LoadedPlugin& plugin, HostServices& services, const Settings& settings,
    const std::string& configured_name, CallWatch* watch) {
  const std::string name = configured_name.empty() ? plugin.descriptor->name : configured_name;
  const Result<Plugin*> object = make(plugin, PluginKind::broker, name, services, settings, watch);
  if (!object.ok()) return object.status();
  return std::make_unique<GuardedBroker>(static_cast<Broker*>(*object), plugin.descriptor->destroy,
                                         name, services, GuardedBroker::kGrace, watch);
}

}  // namespace vouch::plugins
