// Readiness: the host's readiness checks, asked at most once a second however often probes come.
// [any-thread]
#pragma once

#include <chrono>
#include <functional>
#include <mutex>
#include <optional>
#include <vector>

#include "http/http_server.h"

namespace vouch::http {

class Readiness {
 public:
  /// Both must outlive it.
  Readiness(const std::function<std::vector<ReadinessCheck>()>& ask, const Clock& clock)
      : ask_(ask), clock_(clock) {}

  /// May block for as long as the checks do; others that ask meanwhile wait for the same answer.
  std::vector<ReadinessCheck> checks();

 private:
  const std::function<std::vector<ReadinessCheck>()>& ask_;
  const Clock& clock_;
  std::mutex mutex_;
  std::optional<std::chrono::steady_clock::time_point> asked_;
  std::vector<ReadinessCheck> last_;
};

}  // namespace vouch::http
