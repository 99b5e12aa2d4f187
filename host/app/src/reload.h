// What SIGHUP (systemctl reload) does to a host that runs: the log file is opened anew, and the
// configuration is read again. `log.level` is taken over at once; for everything else that changed
// the log says that it waits for a restart. A file that can't be used changes nothing. One thread
// (that of the signals).
#pragma once

#include <string>
#include <vector>

#include "config/config.h"
#include "observe/logging.h"

namespace vouch::app {

struct ServeCommand;

class Reload {
 public:
  /// `running`: what the host was started with. All three must outlive it.
  Reload(const ServeCommand& command, const config::Config& running, observe::Logging& logging);

  /// Says in the log what became of it. Reads files; no network.
  void run();

 private:
  void open_log_anew();
  void read_config();

  const ServeCommand& command_;
  const config::Config& running_;
  observe::Logging& logging_;
  std::string level_;  ///< that the log has now
};

/// The settings ("append.lanes") that are not the same in both, without `log.level`. A secret that
/// changed is not among them: what is shown of a config has none.
std::vector<std::string> changed_settings(const config::Config& before, const config::Config& now);

}  // namespace vouch::app
