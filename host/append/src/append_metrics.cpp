#include "append_metrics.h"

#include <array>

namespace vouch::append {
namespace {

constexpr std::array<double, 15> kSeconds = {
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10};
constexpr std::array<double, 10> kSizes = {1, 2, 5, 10, 25, 50, 100, 250, 500, 1000};

Counter& counter(Metrics& metrics, std::string_view name, std::string_view help) {
  return metrics.counter(name, help, {});
}

Histogram& step(Metrics& metrics, std::string_view name) {
  const std::array<Label, 1> labels = {Label{"step", name}};
  return metrics.histogram("vouch_append_step_duration_seconds",
                           "Time of one step of an append's way, for each group of appends.",
                           labels, kSeconds);
}

}  // namespace

AppendMetrics::AppendMetrics(Metrics& metrics)
    : committed_events(counter(metrics, "vouch_append_events_total", "Events committed.")),
      failed_appends(counter(metrics, "vouch_append_failures_total",
                             "Appends answered with an error of the storage or the broker.")),
      conflicts(counter(metrics, "vouch_append_conflicts_total",
                        "Appends whose expected version was not met.")),
      duplicates(counter(metrics, "vouch_append_duplicates_total",
                         "Appends that were stored before and answered once more.")),
      overloaded(counter(metrics, "vouch_append_overloaded_total",
                         "Appends refused because the queue was full.")),
      lost_races(counter(metrics, "vouch_append_lost_races_total",
                         "Appends staged again because another session took their version.")),
      contended(counter(metrics, "vouch_append_contended_total",
                        "Groups staged again after a deadlock or a lock time-out.")),
      rolled_back(counter(metrics, "vouch_append_rollbacks_total",
                          "Transactions rolled back because the validation publish failed.")),
      unknown_commits(counter(metrics, "vouch_append_unknown_commits_total",
                              "Commits whose answer was lost, so that the database was asked.")),
      waiting_events(
          metrics.gauge("vouch_append_waiting_events", "Events waiting for a lane.", {})),
      group_events(metrics.histogram("vouch_append_group_events",
                                     "Events written in one transaction.", {}, kSizes)),
      queue_seconds(step(metrics, "queue")),
      stage_seconds(step(metrics, "stage")),
      publish_seconds(step(metrics, "publish")),
      commit_seconds(step(metrics, "commit")) {}

}  // namespace vouch::append
