// RouteMetrics: what is measured of one route. Any thread.
#pragma once

#include <string>

#include "vouch/host_services.h"

namespace vouch::saga {

class RouteMetrics {
 public:
  RouteMetrics(Metrics& metrics, const std::string& route);

  const Label label;
  Counter& read_back;
  Histogram& round_events;
  Histogram& publish_seconds;
  Counter& acked;
  Counter& refused;
  Gauge& lag;
};

}  // namespace vouch::saga
