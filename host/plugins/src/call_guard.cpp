// Reports of broken contracts, and the histograms of calls.
#include "call_guard.h"

namespace vouch::plugins {
namespace {

constexpr double kBuckets[] = {0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
                               0.05,    0.1,    0.25,    0.5,    1,     2.5,    5,     10};

}  // namespace

CallGuard::CallGuard(std::string name, std::string metric, std::string label,
                     HostServices& services, CallWatch* watch)
    : name_(std::move(name)),
      metric_(std::move(metric)),
      label_(std::move(label)),
      services_(services),
      watch_(watch) {
  if (watch_ != nullptr) watch_->expect(name_);
}

CallGuard::Operation CallGuard::operation(std::string_view name, Patience patience) {
  const Label labels[] = {{label_, name_}, {"op", name}};
  Histogram& duration = services_.metrics().histogram(metric_, "How long calls of the plugin take.",
                                                      labels, kBuckets);
  return {name, duration, patience};
}

void CallGuard::report(std::string_view call, const std::string& what) {
  services_.logger().error("plugin misbehaving: " + std::string(call) + " " + what,
                           {{"plugin", name_}, {"call", call}});
  const Label labels[] = {{"plugin", name_}, {"call", call}};
  services_.metrics()
      .counter("vouch_plugin_contract_violations_total",
               "Calls in which a plugin broke its contract.", labels)
      .increment();
}

Status CallGuard::violation(std::string_view call, const std::string& what) {
  report(call, what);
  return Status(StatusCode::internal,
                "plugin " + name_ + " misbehaves: " + std::string(call) + " " + what);
}

}  // namespace vouch::plugins
