// vouch-conformance: tries one plugin against the contract. See docs/plugin-authoring.md.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <filesystem>

#include "runner.h"

namespace vouch::conformance {
namespace {

enum ExitCode : int {
  kExitPassed = 0,
  kExitFailed = 1,  ///< a case failed
  kExitUnused = 2,  ///< the command line, the plugin or its settings can't be used
};

constexpr const char* kAbout =
    "vouch-conformance: tries a storage or broker plugin against the contract of Vouch. Every "
    "case\n"
    "runs in a process of its own; a crash or a hang fails that case and no other.";

constexpr const char* kFooter =
    "The settings file holds what stands under `settings:` in the host's configuration. In it,\n"
    "${VOUCH_CASE_DIRECTORY} is an empty directory and ${VOUCH_CASE_ID} a name (letters and "
    "digits)\n"
    "that only one case has; a storage must use one of them. Other variables come from the\n"
    "environment, as in a configuration. In a database, places named vouch_prove_${VOUCH_CASE_ID}\n"
    "are made and removed by plugins that can.\n"
    "\n"
    "With --server, ${VOUCH_CASE_SERVER} is the address of a proxy in front of that server, "
    "through\n"
    "which connections are cut and held up. Cases that need what is not given are skipped.\n"
    "\n"
    "Examples:\n"
    "  vouch-conformance build/broker-mine.so --settings mine.yaml\n"
    "  vouch-conformance build/storage-mine.so --settings mine.yaml --filter 'storage.feed.*'\n"
    "  gdb --args vouch-conformance mine.so --settings mine.yaml --in-process --filter ID\n"
    "\n"
    "Exit codes: 0 all passed, 1 a case failed, 2 the command line, the plugin or its settings\n"
    "can't be used.";

void add_options(CLI::App& app, Options& options) {
  app.add_option("plugin", options.plugin, "The plugin's library")
      ->required()
      ->type_name("PLUGIN.so");
  app.add_option("--settings", options.settings, "The plugin's settings, as YAML")
      ->type_name("FILE");
  app.add_flag("--list", options.list, "List the cases and what they promise, and run none");
  app.add_option("--filter", options.filters,
                 "Only cases whose id fits, for example 'broker.*'; may be given several times")
      ->type_name("GLOB")
      ->allow_extra_args(false);
  app.add_option_function<std::string>(
         "--format",
         [&](const std::string& name) {
           options.format = name == "junit"  ? Format::junit
                            : name == "json" ? Format::json
                                             : Format::text;
         },
         "How the results are written to standard output (default text)")
      ->check(CLI::IsMember({"text", "junit", "json"}))
      ->type_name("FORMAT");
  app.add_flag("--in-process", options.in_process,
               "Run the cases in this process, without time limit: for debuggers");
  app.add_option("--repeat", options.repeat, "Run each case so often, until it fails (default 1)")
      ->type_name("COUNT")
      ->check(CLI::Range(1U, 1'000'000U));
  app.add_option_function<unsigned>(
         "--timeout", [&](unsigned seconds) { options.time_limit = std::chrono::seconds(seconds); },
         "Seconds that a case may take (default 60)")
      ->type_name("SECONDS")
      ->check(CLI::Range(1U, 86'400U));
}

void add_fault_options(CLI::App& app, Options& options) {
  app.add_option_function<std::string>(
         "--server",
         [&](const std::string& text) {
           options.server = ServerAddress::parse(text);
           if (!options.server) throw CLI::ValidationError("--server", "is not HOST:PORT: " + text);
         },
         "Where the plugin's server listens; the settings reach it as ${VOUCH_CASE_SERVER}")
      ->type_name("HOST:PORT");
  app.add_option(
         "--restart", options.restart,
         "A shell command that kills the broker and starts it again at the same address, in a "
         "session of its own (setsid): what it leaves in the case's process group ends with it")
      ->type_name("COMMAND");
  app.add_option("--overflow", options.overflow,
                 "More messages than one subscription of the broker holds while its sink is busy")
      ->type_name("COUNT");
}

int list(const Options& options) {
  for (const Check& check : asked_for(options)) {
    std::printf("%-50s %-9s %s\n", check.id.c_str(), std::string(check.level()).c_str(),
                check.sentence.c_str());
  }
  return kExitPassed;
}

int complain(const std::string& what) {
  std::fprintf(stderr, "vouch-conformance: error: %s\n", what.c_str());
  return kExitUnused;
}

int run(const Options& options) {
  if (options.list) return list(options);
  const bool as_text = options.format == Format::text;
  const Report report = run_checks(options, [as_text](const Result& result) {
    if (!as_text) return;
    std::fputs(text_of(result).c_str(), stdout);
    std::fflush(stdout);
  });
  if (report.usable && report.results.empty()) {
    return complain("no case fits --filter; --list shows all");
  }
  std::string text;
  if (as_text) text = summary_text(report);
  if (options.format == Format::junit) text = junit_xml(report);
  if (options.format == Format::json) text = report_json(report);
  std::fputs(text.c_str(), stdout);
  if (std::fflush(stdout) != 0) return complain("can't write to standard output");
  if (!report.usable) return kExitUnused;
  return report.count(Ending::Kind::failed) > 0 ? kExitFailed : kExitPassed;
}

int main_of(int count, char** arguments) {
  CLI::App app{kAbout, "vouch-conformance"};
  Options options;
  app.set_version_flag("--version", "vouch-conformance " VOUCH_VERSION);
  add_options(app, options);
  add_fault_options(app, options);
  app.footer(kFooter);
  try {
    app.parse(count, arguments);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? kExitPassed : kExitUnused;
  }
  try {
    options.plugin = std::filesystem::absolute(options.plugin).lexically_normal().string();
    return run(options);
  } catch (const std::exception& error) {
    return complain(error.what());
  }
}

}  // namespace
}  // namespace vouch::conformance

int main(int count, char** arguments) {
  return vouch::conformance::main_of(count, arguments);
}
