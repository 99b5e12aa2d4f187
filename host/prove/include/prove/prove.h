// A trial of the promise against a user's own pair of backends: hosts on a scratch store, load,
// faults, judgement. Everything that it makes is its own and is removed again.
#pragma once

#include <atomic>
#include <string>
#include <vector>

#include "config/config_loader.h"
#include "prove/report.h"
#include "prove/scratch_config.h"
#include "vouch/host_services.h"
#include "vouch/status.h"

namespace vouch::plugins {
class PluginCatalog;
}

namespace vouch::prove {

struct ProveOptions {
  std::string config;                           ///< the user's file
  std::vector<std::string> plugin_directories;  ///< handed on to the hosts
  std::string executable;                       ///< vouch
  std::string version;
  Seconds lasts = 300;
  std::uint32_t hosts = 2;
  double rate = 200;  ///< appends a second, in all
  std::uint64_t seed = 0;
  std::vector<Override> overrides;
  std::vector<std::string> scratch;  ///< the overrides as they were given
  bool keep = false;                 ///< the scratch store
};

/// How somebody tells a run to end. [any-thread]
struct EndRequest {
  std::atomic<bool> early{false};  ///< what was seen until then is judged
  std::atomic<bool> at_once{
      false};  ///< nothing is judged; what the run made is removed all the same
};

/// What a run comes to then that has nothing to judge.
inline Status ended_on_request() {
  return {StatusCode::cancelled, "the trial was ended; nothing was judged"};
}

/// What a run does at the moment.
struct Progress {
  std::string phase;  ///< in words
  std::string fault;  ///< the current one; empty: none
  Seconds passed = 0;
  Seconds lasts = 0;  ///< of the phase, if that is known beforehand
  std::uint64_t committed = 0;
  std::uint64_t refused = 0;
  std::uint64_t unanswered = 0;
  std::uint64_t seen = 0;
};

class ProgressSink {
 public:
  /// Several times a second.
  virtual void show(const Progress& progress) = 0;
  /// Something worth a line of its own.
  virtual void say(const std::string& words) = 0;

 protected:
  ~ProgressSink() = default;
};

/// Runs the trial on this thread, until it is over or `end` says so. Errors: what exit_codes.h
/// makes of them: failed_precondition (the configuration can't be tried; in words), unavailable,
/// permission_denied, cancelled (by `end`). Nothing was proved then.
Result<Report> prove(const ProveOptions& options, plugins::PluginCatalog& catalog,
                     config::PluginTables& tables, HostServices& services, ProgressSink& progress,
                     const EndRequest& end);

}  // namespace vouch::prove
