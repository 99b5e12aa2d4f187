// PluginLibrary: a plugin's shared library, opened as a host opens it (all symbols at once, kept
// apart from others, never unloaded). For runners of the suites; one thread.
#pragma once

#include <string>

#include "vouch/plugin.h"

namespace vouch::conformance {

class PluginLibrary {
 public:
  /// Loads `path` and checks magic, ABI, build tag and kind. Throws std::runtime_error in words.
  PluginLibrary(const std::string& path, PluginKind kind);

  [[nodiscard]] const PluginDescriptor& descriptor() const { return *descriptor_; }
  [[nodiscard]] std::span<const SettingSpec> settings() const {
    return {descriptor_->settings, descriptor_->setting_count};
  }

 private:
  const PluginDescriptor* descriptor_ = nullptr;
};

/// The object of a plugin. `T` is Storage or Broker, by the library's kind.
template <typename T>
class PluginObject {
 public:
  /// Both must outlive it. Throws what the plugin's `create` throws.
  PluginObject(const PluginLibrary& library, HostServices& services, const Settings& settings)
      : destroy_(library.descriptor().destroy),
        object_(static_cast<T*>(library.descriptor().create(services, settings))) {}
  PluginObject(const PluginObject&) = delete;
  PluginObject& operator=(const PluginObject&) = delete;
  ~PluginObject() { destroy_(object_); }

  T& operator*() const { return *object_; }
  T* operator->() const { return object_; }

 private:
  void (*destroy_)(Plugin*);
  T* object_;
};

}  // namespace vouch::conformance
