// HostContext: the HostServices of one plugin or room: its own logger, the host's clock, metrics
// and stop flag. [any-thread]
#pragma once

#include <atomic>

#include "vouch/host_services.h"

namespace vouch::observe {

/// The operating system's clocks.
Clock& system_clock();

class HostContext final : public HostServices {
 public:
  /// All references must outlive it.
  HostContext(Logger& logger, Clock& clock, Metrics& metrics, const std::atomic<bool>& stopping)
      : logger_(logger), clock_(clock), metrics_(metrics), stopping_(stopping) {}

  Logger& logger() override { return logger_; }
  Clock& clock() override { return clock_; }
  Metrics& metrics() override { return metrics_; }
  [[nodiscard]] bool stopping() const override { return stopping_.load(std::memory_order_relaxed); }

 private:
  Logger& logger_;
  Clock& clock_;
  Metrics& metrics_;
  const std::atomic<bool>& stopping_;
};

}  // namespace vouch::observe
