// Whether the file is a plugin for this host, step by step as a host looks at it, and whether it
// takes the settings that were given.
#include "check.h"
#include "plugins/descriptor_check.h"
#include "plugins/elf_look.h"
#include "plugins/plugin_library.h"
#include "vouch/conformance/case.h"

namespace vouch::conformance {
namespace {

void must(const char* done, const char* expected, const Status& status) {
  if (!status.ok()) throw ConformanceFailure(done, expected, status.message());
}

plugins::DescriptorHead head_of(const std::string& path) {
  const Result<plugins::DescriptorHead> head = plugins::look_into(path);
  must("looked into the file", "a shared library that defines vouch_plugin_descriptor",
       head.status());
  return *head;
}

const PluginDescriptor& loaded(const std::string& path) {
  const Result<const PluginDescriptor*> library = plugins::load_library(path);
  must("loaded the library, all symbols at once", "a library that loads", library.status());
  return **library;
}

void is_a_library(const Options& options, const CasePlace& /*place*/) {
  head_of(options.plugin);
}

void is_built_for_this_host(const Options& options, const CasePlace& /*place*/) {
  must("read the first fields of the descriptor", "the magic number, ABI and build of this host",
       plugins::check_head(options.plugin, head_of(options.plugin)));
}

void loads(const Options& options, const CasePlace& /*place*/) {
  loaded(options.plugin);
}

void describes_itself(const Options& options, const CasePlace& /*place*/) {
  must("read the whole descriptor", "texts, a settings table, create, destroy, the file's name",
       plugins::check_descriptor(options.plugin, loaded(options.plugin)));
}

void settings_are_taken(const Options& options, const CasePlace& place) {
  Trial trial(options, place);
  trial.settings();
  const bool apart = trial.uses().id || trial.uses().directory;
  if (trial.plugin().kind != PluginKind::storage || options.settings.empty() || apart) return;
  throw ConformanceFailure(
      "looked where the cases would keep their events",
      "a place of each case's own: ${VOUCH_CASE_DIRECTORY} or ${VOUCH_CASE_ID} in " +
          options.settings,
      "one place for all, which may be somebody's store");
}

}  // namespace

std::vector<Check> binary_checks() {
  return {
      {"binary.is_a_library",
       "The file is a shared library for this machine and defines vouch_plugin_descriptor.",
       is_a_library},
      {"binary.is_built_for_this_host",
       "The descriptor begins with the magic number; ABI version and build tag fit this host.",
       is_built_for_this_host},
      {"binary.loads", "The library loads with all its symbols resolved, and lives.", loads},
      {"binary.describes_itself",
       "The descriptor is complete, and its name is the file's without .so.", describes_itself},
  };
}

std::vector<Check> entry_checks() {
  std::vector<Check> all = binary_checks();
  all.push_back({"settings.given_are_taken",
                 "The given settings fit the plugin's table and its own check.",
                 settings_are_taken});
  return all;
}

}  // namespace vouch::conformance
