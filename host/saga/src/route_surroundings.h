// RouteSurroundings: what the routes of a saga share. All of it outlives them.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>

#include "completion.h"
#include "dead_letters.h"
#include "partition_table.h"
#include "saga/saga.h"
#include "signal_book.h"
#include "written_events.h"

namespace vouch::saga {

class RouteDelivery;

struct RouteSurroundings {
  const SagaOptions& options;
  Storage& storage;
  PartitionTable& partitions;
  std::shared_ptr<SignalBook> signals;
  Completion& completion;
  DeadLetters& letters;
  WrittenEvents& written;
  HostServices& services;
  /// How many of the other routes have a delivery.
  std::function<std::size_t(const Delivery&, const RouteDelivery& but)> others;
};

}  // namespace vouch::saga
