// vouch-config-docs PLUGIN.so…: prints docs/configuration.md, made of the tables that the loader
// itself and the given plugins check settings against. One thread.
#include <dlfcn.h>

#include <cstdio>
#include <string>
#include <vector>

#include "config/config_loader.h"
#include "vouch/plugin.h"

namespace {

constexpr const char* kIntroduction = R"(# Configuration

<!-- Made from the settings tables by scripts/docs; change those, not this page. -->

A host reads one YAML file: `vouch serve --config vouch.yaml`. `vouch check --config vouch.yaml`
reports everything that is wrong with a file, with line and column, without touching a network.
[`config/vouch.yaml`](../config/vouch.yaml) is a complete example. The least that a host needs is a
storage plugin and a broker:

```yaml
storage: { plugin: storage-sqlite, settings: { path: vouch.db } }
brokers: { local: { plugin: broker-local } }
```

The file is UTF-8 text and read strictly: unknown keys, keys given twice, aliases and tags are
errors.

## Values

| In a value | stands for |
|---|---|
| `${NAME}` | the environment variable; an error if it is not set |
| `${NAME:-default}` | the variable, or the default if it is unset or empty |
| `${file:PATH}` | the content of the file, without a final newline |
| `$$` | a dollar sign |

Values are replaced after the file was parsed, so what comes in can't change the structure; and what
comes in is not looked through again. Keys are left alone.

- **Durations** are whole numbers with a unit: `250us`, `10ms`, `5s`, `2m`, `1h`, `7d`.
- **Sizes** are bytes: `512`, `64KiB`, `1MiB`, `2GiB`, and `KB`, `MB`, `GB` for powers of 1000.
- **Paths** that are relative count from the directory of the file.
- **Secrets** are never shown. A file that others may read should not hold one: `vouch check` warns.

# Sections
)";

const vouch::PluginDescriptor* descriptor_of(const char* path) {
  void* library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    std::fprintf(stderr, "vouch-config-docs: %s\n", dlerror());
    return nullptr;
  }
  const auto* descriptor =
      static_cast<const vouch::PluginDescriptor*>(dlsym(library, vouch::kDescriptorSymbol));
  if (descriptor == nullptr || descriptor->magic != vouch::kPluginMagic) {
    std::fprintf(stderr, "vouch-config-docs: %s is not a plugin of Vouch\n", path);
    return nullptr;
  }
  if (descriptor->abi_major != vouch::kAbiMajor ||
      descriptor->setting_size != sizeof(vouch::SettingSpec)) {
    std::fprintf(stderr, "vouch-config-docs: %s was built for another ABI\n", path);
    return nullptr;
  }
  return descriptor;
}

std::string sections_page() {
  std::string page;
  for (const vouch::config::SectionTable& section : vouch::config::host_sections()) {
    page += "\n## `" + std::string(section.path) + (section.is_list ? "[]`\n\n" : "`\n\n");
    page += std::string(section.doc) + "\n\n";
    page += vouch::config::settings_markdown(section.settings);
  }
  return page;
}

std::string plugin_page(const vouch::PluginDescriptor& plugin) {
  std::string page = "\n## `" + std::string(plugin.name) + "`\n\n";
  page += std::string(plugin.summary) + "\n\n";
  return page + vouch::config::settings_markdown({plugin.settings, plugin.setting_count});
}

}  // namespace

int main(int argc, char** argv) {
  std::string page = kIntroduction + sections_page();
  const std::vector<const char*> paths(argv + 1, argv + argc);
  if (!paths.empty()) page += "\n# Settings of the plugins\n";
  for (const char* path : paths) {
    const vouch::PluginDescriptor* plugin = descriptor_of(path);
    if (plugin == nullptr) return 1;
    page += plugin_page(*plugin);
  }
  return std::fputs(page.c_str(), stdout) < 0 ? 1 : 0;
}
