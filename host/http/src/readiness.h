// Readiness: the host's readiness checks, asked at most once a second and by one probe at a time,
// however often probes come. A backend whose answer does not come holds up the one probe that asked
// it; the others are told that it does not come. [any-thread]
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <vector>

#include "http/http_server.h"

namespace vouch::http {

class Readiness {
 public:
  using Ask = std::function<std::vector<ReadinessCheck>()>;

  /// How long a probe waits for the checks that another one has asked for. Less than the second
  /// that orchestrators give a probe.
  static constexpr std::chrono::milliseconds kPatience{500};

  /// All must outlive it. `ask` may block, `ask_calls` must not; either may be empty.
  Readiness(const Ask& ask, const Ask& ask_calls, const Clock& clock)
      : ask_(ask), ask_calls_(ask_calls), clock_(clock) {}

  /// The checks, and plugins' calls that do not return, as they are now. May block for as long as
  /// the checks do.
  std::vector<ReadinessCheck> checks();

 private:
  std::vector<ReadinessCheck> backend_checks();

  const Ask& ask_;
  const Ask& ask_calls_;
  const Clock& clock_;
  std::mutex mutex_;
  std::condition_variable answered_;
  bool asking_ = false;  ///< one probe is in `ask_`
  std::optional<std::chrono::steady_clock::time_point> asked_;
  std::vector<ReadinessCheck> last_;
};

}  // namespace vouch::http
