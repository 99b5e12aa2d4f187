// The metrics of the append room, made once. [any-thread]
#pragma once

#include "vouch/host_services.h"

namespace vouch::append {

struct AppendMetrics {
  explicit AppendMetrics(Metrics& metrics);

  Counter& committed_events;
  Counter& failed_appends;
  Counter& conflicts;
  Counter& duplicates;
  Counter& overloaded;
  Counter& lost_races;
  Counter& contended;
  Counter& rolled_back;
  Counter& unknown_commits;
  Gauge& waiting_events;
  Histogram& group_events;
  Histogram& queue_seconds;
  Histogram& stage_seconds;
  Histogram& publish_seconds;
  Histogram& commit_seconds;
};

}  // namespace vouch::append
