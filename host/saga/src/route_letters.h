// RouteLetters: writes the dead letters of one route: of events that its broker refused for good,
// and of those that wait behind them. Of the saga's thread.
#pragma once

#include <string>

#include "dead_letters.h"
#include "outbound_load.h"
#include "publish/publish_call.h"
#include "route_metrics.h"
#include "saga/saga.h"

namespace vouch::saga {

class RouteLetters {
 public:
  /// All references must outlive it.
  RouteLetters(std::string route, const SagaOptions& options, DeadLetters& letters,
               RouteMetrics& metrics, HostServices& services);

  /// Keeps what was refused of a round and what waits, so that it holds up no delivery. Items of
  /// what was not acknowledged, and of what could not be kept, get their problem.
  void keep(OutboundLoad& load, const publish::PublishReport& report);

  [[nodiscard]] DeadLetter refusal(const OutboundEvent& event, const Status& why) const;

 private:
  [[nodiscard]] DeadLetter waiting(const OutboundLoad::Behind& event) const;

  const std::string route_;
  const SagaOptions& options_;
  DeadLetters& letters_;
  RouteMetrics& metrics_;
  HostServices& services_;
};

}  // namespace vouch::saga
