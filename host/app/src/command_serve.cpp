// serve: reads the configuration, runs the application until a signal asks it to stop.
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <mutex>
#include <optional>

#include "application.h"
#include "commands.h"
#include "exit_codes.h"
#include "plugin_tables.h"
#include "reload.h"
#include "service_manager.h"
#include "signals.h"
#include "terminal.h"
#include "version.h"

namespace vouch::app {
namespace {

using std::chrono::steady_clock;

/// What the signal thread asks of the main thread.
class StopRequest {
 public:
  void ask(int signal) {
    {
      const std::lock_guard lock(mutex_);
      signal_ = signal;
    }
    asked_.notify_all();
  }
  bool was_asked() {
    const std::lock_guard lock(mutex_);
    return signal_.has_value();
  }
  int wait() {
    std::unique_lock lock(mutex_);
    asked_.wait(lock, [this] { return signal_.has_value(); });
    return *signal_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable asked_;
  std::optional<int> signal_;
};

std::string milliseconds_since(steady_clock::time_point start) {
  const auto passed = steady_clock::now() - start;
  return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(passed).count());
}

/// Starts, waits for a signal, stops.
int serve(Application& application, StopRequest& request, Logger& log,
          std::chrono::milliseconds timeout, steady_clock::time_point begun) {
  const Status started = application.start();
  if (!started.ok()) {
    application.stop(steady_clock::now());
    if (request.was_asked()) {
      log.info("stopped before it was ready");
      return kExitOk;
    }
    log.error("can't start", {{"reason", started.message()}});
    say_error(started.message());
    return exit_code_of(started.code());
  }
  const std::string address = application.address();
  log.info("listening", {{"address", address}});
  log.info("ready", {{"ms", milliseconds_since(begun)}});
  notify_service_manager("READY=1\nSTATUS=serving on " + address);

  const int signal = request.wait();
  const auto stopping = steady_clock::now();
  notify_service_manager("STOPPING=1\nSTATUS=draining");
  log.info("draining", {{"signal", signal == SIGINT ? "SIGINT" : "SIGTERM"},
                        {"timeout_ms", std::to_string(timeout.count())}});
  application.stop(stopping + timeout);
  log.info("stopped", {{"ms", milliseconds_since(stopping)}});
  return kExitOk;
}

}  // namespace

int run(const ServeCommand& command) {
  const auto begun = steady_clock::now();
  block_signals();

  plugins::PluginCatalog catalog(search_path(command.plugin_directories));
  const std::optional<config::Config> config = load_config(command.config, catalog);
  if (!config) return kExitConfig;

  auto logging = observe::Logging::make({config->log.level, config->log.format, config->log.file});
  if (!logging.ok()) {
    say_error("can't log: " + logging.status().message());
    return kExitConfig;
  }
  Logger& log = (*logging)->named("host");
  log.info("starting", {{"version", kVersion}, {"config", command.config}});

  if (command.lost_validation > 0) {
    log.warning("validation messages are lost on purpose: this host is part of a trial",
                {{"share", std::to_string(command.lost_validation)}});
  }
  Application application(*config, catalog, **logging, command.lost_validation);
  StopRequest request;
  Reload reload(command, *config, **logging);
  const SignalWatch watch({
      .drain =
          [&](int signal) {
            application.begin_drain();
            request.ask(signal);
          },
      .hurry = [&] { application.hurry(); },
      .reload = [&] { reload.run(); },
  });
  const int code = serve(application, request, log, config->shutdown.timeout, begun);
  (*logging)->flush();
  return code;
}

}  // namespace vouch::app
