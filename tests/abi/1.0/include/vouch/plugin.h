// The one symbol that a plugin exports, and the macro that defines it. Include this in one source
// file of a plugin. The descriptor is constant-initialised data: reading it runs no plugin code.
#pragma once

#include <cstdint>

#include "vouch/abi.h"
#include "vouch/host_services.h"
#include "vouch/plugin_base.h"
#include "vouch/settings.h"

namespace vouch {

enum class PluginKind : std::uint32_t { storage = 1, broker = 2 };

constexpr std::string_view to_string(PluginKind kind) {
  return kind == PluginKind::storage  ? "storage"
         : kind == PluginKind::broker ? "broker"
                                      : "unknown";
}

/// Fields up to and including `build_tag` never move, in any ABI version, so that any host can say
/// in words what any plugin is. Later fields are only ever added at the end.
struct PluginDescriptor {
  std::uint32_t magic;
  std::uint32_t struct_size;
  std::uint16_t abi_major;
  std::uint16_t abi_minor;
  PluginKind kind;
  BuildTag build_tag;

  const char* name;  ///< equal to the file's name without ".so", for example "storage-postgres"
  const char* version;
  const char* vendor;
  const char* license;
  const char* summary;  ///< one line
  const SettingSpec* settings;
  std::uint32_t setting_count;
  std::uint32_t setting_size;  ///< sizeof(SettingSpec) when the plugin was built

  /// Cross-field rules; may be null. Does no I/O.
  void (*validate)(const Settings& settings, SettingProblems& problems);
  /// Makes the object (a Storage or a Broker, by `kind`). Does no I/O and starts no thread. Keeps
  /// `services`; `settings` is lent for the call only. May throw: the host reports it.
  Plugin* (*create)(HostServices& services, const Settings& settings);
  void (*destroy)(Plugin* plugin);
};

inline constexpr const char* kDescriptorSymbol = "vouch_plugin_descriptor";

}  // namespace vouch

#define VOUCH_PLUGIN_EXPORT __attribute__((visibility("default")))

/// Defines the descriptor:
///   VOUCH_PLUGIN(vouch::PluginKind::broker, "broker-foo", "1.0.0", "Foo Ltd", "Apache-2.0",
///                "Publishes through Foo.", kSettings, validate_or_nullptr, create, destroy);
#define VOUCH_PLUGIN(kind_, name_, version_, vendor_, license_, summary_, settings_, validate_, \
                     create_, destroy_)                                                         \
  extern "C" {                                                                                  \
  extern VOUCH_PLUGIN_EXPORT const ::vouch::PluginDescriptor vouch_plugin_descriptor;           \
  constexpr ::vouch::PluginDescriptor vouch_plugin_descriptor = {                               \
      ::vouch::kPluginMagic,                                                                    \
      sizeof(::vouch::PluginDescriptor),                                                        \
      ::vouch::kAbiMajor,                                                                       \
      ::vouch::kAbiMinor,                                                                       \
      kind_,                                                                                    \
      ::vouch::build_tag(),                                                                     \
      name_,                                                                                    \
      version_,                                                                                 \
      vendor_,                                                                                  \
      license_,                                                                                 \
      summary_,                                                                                 \
      settings_,                                                                                \
      sizeof(settings_) / sizeof(::vouch::SettingSpec),                                         \
      sizeof(::vouch::SettingSpec),                                                             \
      validate_,                                                                                \
      create_,                                                                                  \
      destroy_};                                                                                \
  }
