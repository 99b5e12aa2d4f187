#include "request_metrics.h"

#include <algorithm>
#include <array>

namespace vouch::http {
namespace {

constexpr double kBuckets[] = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                               0.1,    0.25,  0.5,    1,     2.5,  5,     10};
constexpr std::array<std::string_view, 6> kMethods = {"GET", "HEAD",   "POST",
                                                      "PUT", "DELETE", "OPTIONS"};

}  // namespace

void RequestMetrics::observe(std::string_view route, std::string_view method, int status,
                             double seconds) {
  const auto* known = std::find(kMethods.begin(), kMethods.end(), method);
  const std::string_view name = known != kMethods.end() ? *known : std::string_view("other");
  Series series;
  {
    const std::lock_guard lock(mutex_);
    Series& kept = series_[{route, name, status}];
    if (kept.requests == nullptr) {
      const std::string code = std::to_string(status);
      const Label counted[] = {{"route", route}, {"method", name}, {"code", code}};
      kept.requests = &metrics_.counter("vouch_http_requests_total", "HTTP requests.", counted);
      kept.duration =
          &metrics_.histogram("vouch_http_request_duration_seconds",
                              "Time from the whole request's arrival to the answer's last byte.",
                              std::span(counted).first(2), kBuckets);
    }
    series = kept;
  }
  series.requests->increment();
  series.duration->observe(seconds);
}

}  // namespace vouch::http
