// prove: tries the promise against the user's own backends, and says what came of it.
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>

#include "commands.h"
#include "exit_codes.h"
#include "plugin_tables.h"
#include "prove/prove.h"
#include "prove_progress.h"
#include "services.h"
#include "signals.h"
#include "terminal.h"
#include "version.h"

namespace vouch::app {
namespace {

/// The verdict's code when the promise was broken.
constexpr int kExitBroken = 1;

std::uint64_t draw_seed() {
  std::random_device device;
  return device();
}

bool write_file(const std::string& path, const std::string& text) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << text;
  out.close();
  return static_cast<bool>(out);
}

/// A report that can't be written is found before the trial, not hours later.
bool can_write(const std::string& path) {
  const bool there = std::filesystem::exists(path);
  if (!std::ofstream(path, std::ios::binary | std::ios::app)) return false;
  std::error_code error;
  if (!there) std::filesystem::remove(path, error);
  return true;
}

int exit_code_of(prove::Verdict verdict) {
  switch (verdict) {
    case prove::Verdict::held:
      return kExitOk;
    case prove::Verdict::broken:
      return kExitBroken;
    case prove::Verdict::nothing_shown:
    case prove::Verdict::unfinished:
      return kExitTemporary;
  }
  return kExitInternal;
}

Result<prove::ProveOptions> options_from(const ProveCommand& command) {
  prove::ProveOptions options;
  options.config = command.config;
  options.plugin_directories = command.plugin_directories;
  std::error_code error;
  options.executable = std::filesystem::read_symlink("/proc/self/exe", error).string();
  if (error) return Status(StatusCode::internal, "can't find this executable: " + error.message());
  options.version = kVersion;
  options.lasts = command.minutes * 60;
  options.hosts = command.hosts;
  options.rate = command.rate;
  options.seed = command.seed ? *command.seed : draw_seed();
  options.keep = command.keep;
  options.scratch = command.scratch;
  for (const std::string& text : command.scratch) {
    auto one = prove::Override::parse(text);
    if (!one.ok()) return one.status();
    options.overrides.push_back(*std::move(one));
  }
  return options;
}

}  // namespace

int run(const ProveCommand& command) {
  block_signals();
  const auto options = options_from(command);
  if (!options.ok()) {
    say_error(options.status().message());
    return kExitUsage;
  }
  if (!command.report.empty() && !can_write(command.report)) {
    say_error("can't write " + command.report + ": " + std::strerror(errno));
    return kExitOutput;
  }
  plugins::PluginCatalog catalog(search_path(command.plugin_directories));
  CatalogTables tables(catalog);
  auto logging = observe::Logging::make({"error", "text", ""});
  if (!logging.ok()) {
    say_error(logging.status().message());
    return kExitConfig;
  }
  Services services(**logging);
  prove::EndRequest end;
  const SignalWatch watch({
      .drain = [&](int) { end.early = true; },
      .hurry = [&] { end.at_once = true; },
      .reload = [] {},
  });
  ProveProgress progress;
  const auto report =
      prove::prove(*options, catalog, tables, services.named("prove"), progress, end);
  progress.end();
  if (!report.ok()) {
    say_error(report.status().message());
    if (report.status().code() == StatusCode::cancelled) return kExitTemporary;
    return exit_code_of(report.status().code());
  }
  const std::string text = prove::report_text(*report);
  std::fwrite(text.data(), 1, text.size(), stdout);
  if (std::fflush(stdout) != 0) return kExitOutput;
  if (!command.report.empty() && !write_file(command.report, prove::report_html(*report))) {
    say_error("can't write " + command.report);
    return kExitOutput;
  }
  return exit_code_of(report->verdict);
}

}  // namespace vouch::app
