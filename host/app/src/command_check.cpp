// check: says what is wrong with a configuration, or what it comes to.
#include <chrono>
#include <cstdio>
#include <string_view>
#include <thread>

#include "backends.h"
#include "commands.h"
#include "exit_codes.h"
#include "info_json.h"
#include "plugin_tables.h"
#include "terminal.h"

namespace vouch::app {
namespace {

constexpr std::chrono::milliseconds kBrokerWait{5'000};

/// Brokers connect in the background: waits until one is connected.
Status wait_until_healthy(const std::string& name, Broker& broker) {
  const auto deadline = std::chrono::steady_clock::now() + kBrokerWait;
  while (true) {
    const Health health = broker.health();
    if (health.ok) return {};
    if (std::chrono::steady_clock::now() >= deadline) {
      return Status(StatusCode::unavailable, "broker " + name + ": " + health.detail);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

/// Opens everything and changes nothing: no schema, no topics.
Status connect(Backends& backends) {
  if (Status status = backends.load(); !status.ok()) return status;
  if (Status status = backends.open_storage(); !status.ok()) return status;
  if (Status status = backends.open_brokers(); !status.ok()) return status;
  for (const auto& [name, named] : backends.brokers()) {
    if (Status status = wait_until_healthy(name, *named.broker); !status.ok()) return status;
  }
  return {};
}

}  // namespace

int run(const CheckCommand& command) {
  plugins::PluginCatalog catalog(search_path(command.plugin_directories));
  const std::optional<config::Config> config = load_config(command.config, catalog);
  if (!config) return kExitConfig;

  if (command.connect) {
    // Of the backends' own log only what is wrong is wanted here.
    auto logging = observe::Logging::make({"warning", "text", ""});
    if (!logging.ok()) {
      say_error(logging.status().message());
      return exit_code_of(logging.status().code());
    }
    Services services(**logging);
    const auto waits = [](std::string_view, std::string_view) {
      return plugins::HeldUp{"the check waits", true};
    };
    plugins::CallWatch calls({config->plugins.call_limit, waits}, services.named("host"));
    Backends backends(*config, catalog, services, &calls);
    const Status status = connect(backends);
    if (!status.ok()) {
      say_error(status.message());
      return exit_code_of(status.code());
    }
    for (const std::string& words : guarantees(*config, backends)) say(words);
    for (const std::string& words : doubts(*config, backends)) say("warning: " + words);
  }

  if (command.quiet) return kExitOk;
  const std::string shown = config::show_config(*config);
  std::fwrite(shown.data(), 1, shown.size(), stdout);
  if (!shown.empty() && shown.back() != '\n') std::fputc('\n', stdout);
  return std::fflush(stdout) == 0 ? kExitOk : kExitOutput;
}

}  // namespace vouch::app
