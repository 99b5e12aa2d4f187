// Every way in which a plugin file can be unusable, with the whole message.
#include <unistd.h>

#include <catch2/catch.hpp>

#include "directory.h"
#include "plugins/elf_look.h"
#include "plugins/plugin_library.h"

namespace vouch::plugins {
namespace {

struct Case {
  const char* plugin;
  PluginKind kind;
  std::string message;
};

const std::string kDescriptorBytes = std::to_string(sizeof(PluginDescriptor));
const std::string kSettingBytes = std::to_string(sizeof(SettingSpec));

std::string own_types() {
  const std::string tag(build_tag().data());
  return tag.substr(tag.find("types=") + 6);
}

/// Of a fixture, as it stands in its file.
std::string types_of(const std::string& fixture) {
  const auto head = look_into(std::string(VOUCH_TEST_FIXTURES) + "/" + fixture + ".so");
  REQUIRE(head.ok());
  const std::string tag(head->build_tag.data());
  return tag.substr(tag.find("types=") + 6);
}

std::vector<Case> cases() {
  constexpr PluginKind kBroker = PluginKind::broker;
  return {
      {"broker-wrong-magic", kBroker,
       "{path} has a symbol vouch_plugin_descriptor that is no plugin descriptor (it begins with "
       "0x12345678, not 0x48435556); define it with VOUCH_PLUGIN"},
      {"broker-other-major", kBroker,
       "{path} is built for plugin ABI 2.3, this host speaks 1.0; rebuild the plugin with the "
       "Vouch "
       "SDK for ABI 1, or upgrade the host"},
      {"broker-older-major", kBroker,
       "{path} is built for plugin ABI 0.0, this host speaks 1.0; rebuild the plugin with the "
       "Vouch "
       "SDK for ABI 1"},
      {"broker-newer-minor", kBroker,
       "{path} needs plugin ABI 1.7, this host speaks 1.0; upgrade the host, or rebuild the plugin "
       "with its SDK"},
      {"broker-other-build", kBroker,
       "{path} was built differently from this host (C++ standard library: plugin llvm, host gnu; "
       "debug containers: plugin yes, host no; boundary types: plugin not said, host " +
           own_types() + "); rebuild the plugin as this host was built, with this host's SDK"},
      {"broker-debug-mode", kBroker,
       "{path} was built differently from this host (debug containers: plugin yes, host no; "
       "boundary types: plugin " +
           types_of("broker-debug-mode") + ", host " + own_types() +
           "); rebuild the plugin as this host was built, with this host's SDK"},
      {"broker-small-descriptor", kBroker,
       "{path} has a descriptor of 96 bytes, where plugin ABI 1.0 has " + kDescriptorBytes +
           "; define it with VOUCH_PLUGIN"},
      {"broker-setting-rows", kBroker,
       "{path} has a settings table with rows of 48 bytes, this host reads rows of " +
           kSettingBytes + "; rebuild the plugin with this host's SDK"},
      {"broker-incomplete", kBroker,
       "{path} has an incomplete descriptor (a text, the settings table, create or destroy is "
       "null); define it with VOUCH_PLUGIN"},
      {"broker-unknown-kind", kBroker,
       "{path} is of a kind that this host does not know (9); upgrade the host"},
      {"broker-renamed", kBroker,
       "{path} says that its name is 'broker-original'; rename the file to broker-original.so, or "
       "build the plugin as 'broker-renamed'"},
      {"broker-good", PluginKind::storage,
       "{path} is a broker plugin, where a storage plugin is asked for; name a storage plugin "
       "here, "
       "for example one that 'vouch plugins' lists"},
      {"storage-throwing", kBroker,
       "{path} is a storage plugin, where a broker plugin is asked for; name a broker plugin here, "
       "for example one that 'vouch plugins' lists"},
      {"broker-missing-dependency", kBroker,
       "{path} can't be loaded: it needs libvouch_fixture_dependency.so, which is not installed "
       "here; install it (ldd {path} shows all it needs)"},
      {"broker-undefined-symbol", kBroker,
       "{path} can't be loaded: it needs the symbol vouch_symbol_that_nobody_has, which none of "
       "its "
       "libraries has; link it with vouch_add_plugin() and build it against the versions that are "
       "installed here"},
      {"foreign", kBroker,
       "{path} is a shared library but not a plugin: it has no symbol vouch_plugin_descriptor; if "
       "it should be one, use VOUCH_PLUGIN in one of its source files and link it with "
       "vouch_add_plugin()"},
  };
}

Status load(const std::string& directory, PluginKind kind, const std::string& plugin) {
  PluginCatalog catalog(only(directory));
  return catalog.load(kind, plugin).status();
}

}  // namespace

TEST_CASE("a plugin that does not fit is refused with what is wrong and what to do") {
  ::unsetenv("VOUCH_FIXTURE_RAN");
  for (const Case& one : cases()) {
    INFO(one.plugin);
    const Status status = load(VOUCH_TEST_FIXTURES, one.kind, one.plugin);
    CHECK(status.code() == StatusCode::failed_precondition);
    CHECK(status.message() ==
          with_path(one.message, std::string(VOUCH_TEST_FIXTURES) + "/" + one.plugin + ".so"));
  }
  // Those that can be told from the file alone were never loaded: none of their code has run.
  const char* const trace = ::getenv("VOUCH_FIXTURE_RAN");
  CHECK((trace == nullptr ? std::string() : std::string(trace)) == "");
}

TEST_CASE("a file that is no shared library is refused with what it is") {
  Directory directory;
  const std::string good = directory.copy("broker-good");
  std::ifstream stream(good, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(stream)), {});
  std::string other_machine = bytes;
  other_machine[18] = 0x08;  // e_machine: MIPS
  std::string executable = bytes;
  executable[16] = 2;  // e_type: ET_EXEC
  const struct {
    const char* name;
    std::string content;
    const char* message;
  } kFiles[] = {
      {"broker-empty", "",
       "{path} is empty: what should have written it did not finish; install the plugin again"},
      {"broker-text", "not a library, only a text\n",
       "{path} is not a shared library (it has no ELF header); put the plugin's .so file there"},
      {"broker-tiny", "\x7f",
       "{path} is not a shared library (it has no ELF header); put the plugin's .so file there"},
      {"broker-cut", bytes.substr(0, bytes.size() / 2),
       "{path} is damaged: it refers to parts of itself that are not there; install the plugin "
       "again"},
      {"broker-machine", other_machine,
       "{path} is a library for another kind of machine; install the plugin that is built for this "
       "one"},
      {"broker-executable", executable,
       "{path} is an ELF file but not a shared library; link it as one, with vouch_add_plugin()"},
  };
  for (const auto& one : kFiles) {
    INFO(one.name);
    const std::string path = directory.write(std::string(one.name) + ".so", one.content);
    const Status status = load(directory.path(), PluginKind::broker, one.name);
    CHECK(status.code() == StatusCode::failed_precondition);
    CHECK(status.message() == with_path(one.message, path));
  }
  std::filesystem::create_directory(directory.file("broker-folder.so"));
  CHECK(load(directory.path(), PluginKind::broker, "broker-folder").message() ==
        directory.file("broker-folder.so") + " is not a file; put the plugin's .so file there");
}

TEST_CASE("a file or a directory that may not be read is refused with what is missing") {
  namespace fs = std::filesystem;
  Directory directory;
  const std::string path = directory.copy("broker-good");
  fs::permissions(directory.path(), fs::perms::all);
  fs::permissions(path, fs::perms::none);
  const std::string inner = directory.file("inner");
  fs::create_directory(inner);
  fs::copy_file(std::string(VOUCH_TEST_FIXTURES) + "/broker-good.so", inner + "/broker-good.so");
  fs::permissions(inner, fs::perms::none);
  const bool root = ::geteuid() == 0;  // who may read everything
  REQUIRE((!root || ::seteuid(65'534) == 0));
  const Status file = load(directory.path(), PluginKind::broker, "broker-good");
  const Status folder = load(inner, PluginKind::broker, "broker-good");
  const Status named = load(inner, PluginKind::broker, inner + "/broker-good.so");
  REQUIRE((!root || ::seteuid(0) == 0));
  fs::permissions(inner, fs::perms::all);
  CHECK(file.code() == StatusCode::failed_precondition);
  CHECK(file.message() ==
        path + " can't be read: Permission denied; give the host's user the right to read it");
  CHECK(folder.code() == StatusCode::not_found);
  CHECK(folder.message() == "there is no plugin 'broker-good'; looked for:\n  " + inner +
                                "/broker-good.so (plugins.search_path): Permission denied");
  CHECK(named.code() == StatusCode::not_found);
  CHECK(named.message() ==
        "there is no plugin " + inner + "/broker-good.so to be seen: Permission denied");
}

TEST_CASE("a damaged library is refused wherever it is damaged, and never loaded") {
  Directory directory;
  std::ifstream stream(directory.copy("broker-good"), std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(stream)), {});
  for (std::size_t cut = 1; cut < bytes.size(); cut += bytes.size() / 97 + 1) {
    // The section headers, which lead to the symbols, are the end of the file.
    directory.write("broker-damaged.so", bytes.substr(0, cut));
    CHECK(load(directory.path(), PluginKind::broker, "broker-damaged").code() ==
          StatusCode::failed_precondition);
  }
  for (std::size_t at = 16; at < 64; ++at) {  // the ELF header behind its identification
    std::string broken = bytes;
    broken[at] = static_cast<char>(0xff);
    // Some of these bytes do not matter. The file is named otherwise than the plugin, so that it is
    // refused in any case: what counts is that nothing crashes.
    const std::string name = "broker-damaged-" + std::to_string(at);
    directory.write(name + ".so", broken);
    CHECK(load(directory.path(), PluginKind::broker, name).code() ==
          StatusCode::failed_precondition);
  }
}

TEST_CASE("a library that never finishes loading is refused, and the host does not wait for it") {
  const std::string path = std::string(VOUCH_TEST_BLOCKING) + "/broker-hanging-initialiser.so";
  const Status status = try_library(path, std::chrono::milliseconds(200));
  CHECK(status.code() == StatusCode::failed_precondition);
  CHECK(status.message() == path +
                                " did not finish loading within 200 ms: an initialiser of it, or "
                                "of a library that it needs, hangs; report it to the plugin's "
                                "vendor");
}

TEST_CASE("build tags are compared part by part") {
  const auto tag = [](std::string_view text) {
    BuildTag made{};
    std::size_t at = 0;
    detail::put(made, at, text);
    return made;
  };
  using Differences = std::vector<std::string>;
  CHECK(build_tag_differences(build_tag(), build_tag()).empty());
  CHECK(build_tag_differences(tag("std=gnu;str=old"), tag("std=gnu;str=new")) ==
        Differences{"std::string ABI: plugin old, host new"});
  CHECK(build_tag_differences(tag("std=gnu;new=1"), tag("std=gnu;bits=64")) ==
        Differences{"pointer bits: plugin not said, host 64", "new: plugin 1, host not said"});
  CHECK(build_tag_differences(tag(""), tag("eh=yes;rtti=yes")) ==
        Differences{"exceptions: plugin not said, host yes",
                    "run-time type information: plugin not said, host yes"});
  BuildTag endless;
  endless.fill('x');
  CHECK(build_tag_differences(endless, tag("eh=yes")).size() == 2);
}

}  // namespace vouch::plugins
