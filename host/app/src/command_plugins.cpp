// plugins: what can be found on the search path, and what each plugin takes.
#include <cstdio>
#include <utility>

#include "commands.h"
#include "exit_codes.h"
#include "json_object.h"
#include "plugin_tables.h"
#include "terminal.h"

namespace vouch::app {
namespace {

const char* type_name(SettingType type) {
  switch (type) {
    case SettingType::boolean:
      return "boolean";
    case SettingType::integer:
      return "integer";
    case SettingType::number:
      return "number";
    case SettingType::text:
      return "text";
    case SettingType::duration:
      return "duration";
    case SettingType::size:
      return "size";
    case SettingType::choice:
      return "choice";
    case SettingType::list:
      return "list";
    case SettingType::map:
      return "map";
    case SettingType::path:
      return "path";
  }
  return "unknown";
}

constexpr std::pair<SettingFlags, const char*> kFlagWords[] = {{kSettingRequired, "required"},
                                                               {kSettingSecret, "secret"},
                                                               {kSettingReloadable, "reloadable"},
                                                               {kSettingAdvanced, "advanced"}};

std::string setting_json(const SettingSpec& spec) {
  JsonObject object;
  object.text("key", spec.key).text("type", type_name(spec.type));
  if (spec.default_text != nullptr) object.text("default", spec.default_text);
  if (spec.min <= spec.max) {
    object.raw("min", std::to_string(spec.min)).raw("max", std::to_string(spec.max));
    object.text("range", values::range_text(spec));
  }
  if (spec.choices != nullptr) object.text("choices", spec.choices);
  object.boolean("required", (spec.flags & kSettingRequired) != 0)
      .boolean("secret", (spec.flags & kSettingSecret) != 0)
      .boolean("reloadable", (spec.flags & kSettingReloadable) != 0)
      .boolean("advanced", (spec.flags & kSettingAdvanced) != 0)
      .text("doc", spec.doc);
  if (spec.example != nullptr) object.text("example", spec.example);
  return object.str();
}

JsonObject plugin_json(const PluginDescriptor& descriptor, const std::string& path) {
  JsonObject object;
  object.text("name", descriptor.name)
      .text("kind", to_string(descriptor.kind))
      .text("version", descriptor.version)
      .text("vendor", descriptor.vendor)
      .text("license", descriptor.license)
      .text("summary", descriptor.summary)
      .text("path", path);
  return object;
}

std::span<const SettingSpec> settings_of(const PluginDescriptor& descriptor) {
  return {descriptor.settings, descriptor.setting_count};
}

int describe_json(const PluginDescriptor& descriptor, const std::string& path) {
  std::string settings = "[";
  for (const SettingSpec& spec : settings_of(descriptor)) {
    if (settings.size() > 1) settings += ',';
    settings += setting_json(spec);
  }
  const std::string line = plugin_json(descriptor, path).raw("settings", settings + "]").str();
  return put_line(line) ? kExitOk : kExitOutput;
}

int describe_markdown(const PluginDescriptor& descriptor) {
  const std::string out = std::string("## ") + descriptor.name + "\n\n" + descriptor.summary +
                          "\n\n" + config::settings_markdown(settings_of(descriptor));
  return put_line(out) ? kExitOk : kExitOutput;
}

int describe_text(const PluginDescriptor& descriptor, const std::string& path) {
  put_bold(descriptor.name);
  std::printf(" %s (%s)\n%s\n%s, %s\n%s\n", descriptor.version, to_string(descriptor.kind).data(),
              descriptor.summary, descriptor.vendor, descriptor.license, path.c_str());
  for (const SettingSpec& spec : settings_of(descriptor)) {
    std::fputs("\n  ", stdout);
    put_bold(spec.key);
    std::printf(": %s", type_name(spec.type));
    if (spec.choices != nullptr) std::printf(" (%s)", spec.choices);
    if (spec.default_text != nullptr && spec.default_text[0] != '\0') {
      std::printf(", default %s", spec.default_text);
    }
    if (const std::string range = values::range_text(spec); !range.empty()) {
      std::printf(", %s", range.c_str());
    }
    for (const auto& [flag, word] : kFlagWords) {
      if ((spec.flags & flag) != 0) std::printf(", %s", word);
    }
    std::printf("\n    %s\n", spec.doc);
    if (spec.example != nullptr) std::printf("    Example: %s\n", spec.example);
  }
  return std::fflush(stdout) == 0 ? kExitOk : kExitOutput;
}

/// A plugin by name or path, of whichever kind it is.
Result<plugins::LoadedPlugin> find_plugin(plugins::PluginCatalog& catalog,
                                          const std::string& name) {
  for (const auto& listed : catalog.list()) {
    if (listed.descriptor == nullptr || listed.name != name) continue;
    return plugins::LoadedPlugin{listed.descriptor, listed.path, {}};
  }
  auto storage = catalog.load(PluginKind::storage, name);
  if (storage.ok()) return storage;
  auto broker = catalog.load(PluginKind::broker, name);
  if (broker.ok()) return broker;
  return storage.status();
}

}  // namespace

int run(const PluginsCommand& command) {
  plugins::PluginCatalog catalog(search_path(command.plugin_directories));
  const auto listed = catalog.list();
  if (listed.empty()) say("no plugins found; --plugin-dir says where to look");
  for (const auto& plugin : listed) {
    if (plugin.descriptor == nullptr) {
      if (command.json) {
        put_line(JsonObject().text("path", plugin.path).text("problem", plugin.problem).str());
      } else {
        say(plugin.path + ": not usable: " + plugin.problem);
      }
      continue;
    }
    if (command.json) {
      put_line(plugin_json(*plugin.descriptor, plugin.path).str());
      continue;
    }
    put_bold(plugin.descriptor->name);
    std::printf(" %s (%s): %s\n  %s\n", plugin.descriptor->version,
                to_string(plugin.descriptor->kind).data(), plugin.descriptor->summary,
                plugin.path.c_str());
  }
  return std::fflush(stdout) == 0 ? kExitOk : kExitOutput;
}

int run(const DescribeCommand& command) {
  plugins::PluginCatalog catalog(search_path(command.plugin_directories));
  const auto plugin = find_plugin(catalog, command.name);
  if (!plugin.ok()) {
    say_error(plugin.status().message());
    return exit_code_of(plugin.status().code());
  }
  if (command.json) return describe_json(*plugin->descriptor, plugin->path);
  if (command.markdown) return describe_markdown(*plugin->descriptor);
  return describe_text(*plugin->descriptor, plugin->path);
}

}  // namespace vouch::app
