#include "route_metrics.h"

#include <array>

namespace vouch::saga {
namespace {

constexpr std::array<double, 10> kSizes = {1, 5, 10, 50, 100, 250, 500, 1000, 2000, 5000};
constexpr std::array<double, 14> kSeconds = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                             0.1,    0.25,  0.5,    1,     2.5,  10,    60};

}  // namespace

RouteMetrics::RouteMetrics(Metrics& metrics, const std::string& route)
    : label{"route", route},
      read_back(metrics.counter("vouch_delivery_read_back_events_total",
                                "Events that were read from the database in order to be "
                                "published.",
                                {})),
      round_events(metrics.histogram("vouch_delivery_round_events",
                                     "Events published in one round.", {}, kSizes)),
      publish_seconds(metrics.histogram("vouch_delivery_publish_duration_seconds",
                                        "Time until every message of a round was acknowledged.", {},
                                        kSeconds)),
      acked(metrics.counter("vouch_delivery_route_events_total", "Events acknowledged on a route.",
                            {&label, 1})),
      refused(metrics.counter("vouch_delivery_refused_events_total",
                              "Events that a broker refused for good.", {&label, 1})),
      lag(metrics.gauge("vouch_delivery_route_lag_seconds",
                        "Age of the oldest delivery that failed on a route and waits to be "
                        "repeated; 0 when none does.",
                        {&label, 1})) {}

}  // namespace vouch::saga
