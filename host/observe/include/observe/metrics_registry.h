// MetricsRegistry: prometheus-cpp behind the SDK's Metrics (used in this room and nowhere else).
// [any-thread]
#pragma once

#include <memory>
#include <string>

#include "vouch/host_services.h"

namespace vouch::observe {

class MetricsRegistry final : public Metrics {
 public:
  MetricsRegistry();
  ~MetricsRegistry();

  Counter& counter(std::string_view name, std::string_view help,
                   std::span<const Label> labels) override;
  Gauge& gauge(std::string_view name, std::string_view help,
               std::span<const Label> labels) override;
  Histogram& histogram(std::string_view name, std::string_view help, std::span<const Label> labels,
                       std::span<const double> buckets) override;

  /// Everything in Prometheus' text format 0.0.4, with process_* (memory, CPU, open files, start).
  [[nodiscard]] std::string text() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace vouch::observe
