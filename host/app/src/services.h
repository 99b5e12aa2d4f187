// Services: the host's log, metrics, clock and stop flag, handed to each room and plugin under its
// own name. [any-thread]
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "observe/host_context.h"
#include "observe/logging.h"
#include "observe/metrics_registry.h"

namespace vouch::app {

class Services {
 public:
  /// `logging` must outlive it.
  explicit Services(observe::Logging& logging) : logging_(logging) {}
  Services(const Services&) = delete;
  Services& operator=(const Services&) = delete;

  /// The services of one room or plugin; live as long as this.
  HostServices& named(const std::string& name) {
    const std::lock_guard lock(mutex_);
    auto& context = contexts_[name];
    if (!context) {
      context = std::make_unique<observe::HostContext>(
          logging_.named(name), observe::system_clock(), metrics_, stopping_);
    }
    return *context;
  }

  [[nodiscard]] observe::MetricsRegistry& metrics() { return metrics_; }

  /// From now on everything that waits gives up.
  void begin_stopping() { stopping_.store(true, std::memory_order_relaxed); }
  [[nodiscard]] bool stopping() const { return stopping_.load(std::memory_order_relaxed); }

 private:
  observe::Logging& logging_;
  observe::MetricsRegistry metrics_;
  std::atomic<bool> stopping_{false};
  std::mutex mutex_;
  std::map<std::string, std::unique_ptr<observe::HostContext>> contexts_;
};

}  // namespace vouch::app
