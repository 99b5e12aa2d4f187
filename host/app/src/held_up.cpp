#include "held_up.h"

namespace vouch::app {
namespace {

struct Row {
  std::string_view thread;  ///< how its name begins
  const char* waits;
  bool whole_host;
};

constexpr Row kRows[] = {
    {"lane-", "the appends of this lane wait", true},
    {"saga", "nothing is delivered", true},
    {"live-feed", "followers get nothing new", true},
    {"broker-topics", "the topics of a broker are not ready", true},
    {"catch-up", "followers that are behind wait", false},
    {"snapshot-saver", "snapshots are not saved", false},
    {"http", "the request waits", false},
};

}  // namespace

plugins::HeldUp held_up_by(std::string_view thread, std::string_view call) {
  // Asked for /readyz, which can't say then that the backend works.
  if (call == "health") return {"it is not known whether the plugin works", true};
  for (const Row& row : kRows) {
    if (thread.starts_with(row.thread)) return {row.waits, row.whole_host};
  }
  return {"the start or the stop of the host waits", true};
}

}  // namespace vouch::app
