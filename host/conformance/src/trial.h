// Trial: what one case works with: the plugin, loaded as a host loads it, settings from the file
// for a place that nobody else uses, and services. One thread.
#pragma once

#include <memory>
#include <string>

#include "console_services.h"
#include "options.h"
#include "proxy/proxy.h"
#include "vouch/plugin.h"
#include "vouch/values/setting_values.h"

namespace vouch::conformance {

/// What the case variables of a settings file stand for.
struct CasePlace {
  std::string id;         ///< ${VOUCH_CASE_ID}: letters and digits
  std::string directory;  ///< ${VOUCH_CASE_DIRECTORY}: exists, empty at first
  std::string
      server;  ///< ${VOUCH_CASE_SERVER}: a proxy's address, or the server's own; empty: not set
};

/// Which of them the settings file asked for.
struct CaseUses {
  bool id = false;
  bool directory = false;
  bool server = false;
};

class Trial {
 public:
  /// Loads the plugin. Throws ConformanceFailure when it can't be used. `options` must outlive it.
  Trial(const Options& options, CasePlace place);

  [[nodiscard]] const PluginDescriptor& plugin() const { return *plugin_; }
  [[nodiscard]] std::span<const SettingSpec> table() const {
    return {plugin_->settings, plugin_->setting_count};
  }
  [[nodiscard]] const Options& options() const { return options_; }
  [[nodiscard]] const CasePlace& place() const { return place_; }
  HostServices& services() { return services_; }

  /// The settings of the file for this case's place, or for another one. Throws ConformanceFailure
  /// with every problem, by line and column.
  values::SettingValues settings() { return settings(place_); }
  values::SettingValues settings(const CasePlace& place);
  /// Of the last `settings`.
  [[nodiscard]] const CaseUses& uses() const { return uses_; }

  /// A proxy of its own in front of `Options::server`; null when there is none. With
  /// `Options::proxy_port` there can be one at a time.
  [[nodiscard]] std::unique_ptr<proxy::Proxy> make_proxy() const;

 private:
  const Options& options_;
  CasePlace place_;
  CaseUses uses_;
  ConsoleServices services_;
  const PluginDescriptor* plugin_;
};

/// The object of a plugin, destroyed by the plugin. `T` is Storage or Broker.
template <typename T>
class Made {
 public:
  /// Throws what `create` throws, and ConformanceFailure when it gives nothing.
  Made(Trial& trial, const Settings& settings)
      : plugin_(trial.plugin()), object_(make(trial, settings)) {}
  Made(const Made&) = delete;
  Made& operator=(const Made&) = delete;
  ~Made() { plugin_.destroy(object_); }

  T& operator*() const { return *object_; }
  T* operator->() const { return object_; }

 private:
  static T* make(Trial& trial, const Settings& settings);

  const PluginDescriptor& plugin_;
  T* const object_;
};

}  // namespace vouch::conformance
