// RequestMetrics: counts requests and how long they took. Labels are bounded: routes by their
// pattern, methods that nobody knows as "other". [any-thread]
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <tuple>

#include "vouch/host_services.h"

namespace vouch::http {

class RequestMetrics {
 public:
  /// `metrics` must outlive it.
  explicit RequestMetrics(Metrics& metrics) : metrics_(metrics) {}

  /// `route` must live for ever (a pattern of the route table).
  void observe(std::string_view route, std::string_view method, int status, double seconds);

 private:
  struct Series {
    Counter* requests = nullptr;
    Histogram* duration = nullptr;
  };
  Metrics& metrics_;
  std::mutex mutex_;
  std::map<std::tuple<std::string_view, std::string_view, int>, Series> series_;
};

}  // namespace vouch::http
