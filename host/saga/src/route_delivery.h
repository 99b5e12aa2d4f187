// RouteDelivery: what one route has yet to publish, and its rounds: load what is ready, publish it,
// and only when every message is acknowledged or given up the next. So what goes out of a partition
// on this route goes out in ledger order, and a route that is down holds up nobody but itself.
// Between rounds it publishes again what waited behind dead letters that were released.
//
// Of the saga's thread, but for `report`: [any-thread].
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "publish/publish_call.h"
#include "released_streams.h"
#include "route_letters.h"
#include "route_metrics.h"
#include "route_surroundings.h"

namespace vouch::saga {

class RouteDelivery {
 public:
  using Time = std::chrono::steady_clock::time_point;

  /// `route` is null for a store without routes: then everything counts as published.
  RouteDelivery(RouteSurroundings& around, const Route* route);
  ~RouteDelivery();
  RouteDelivery(const RouteDelivery&) = delete;
  RouteDelivery& operator=(const RouteDelivery&) = delete;

  /// Something may be ready in that partition, behind what the route has seen of it.
  void mark_due(Partition partition);
  /// That delivery is ready, maybe before what was seen; nothing if the route has it.
  void mark_due(const SettledSignal& signal);
  /// What was committed late and never signalled is looked for from the start.
  void look_again(Partition partition);

  /// Does what can be done without waiting. Returns whether that was anything.
  bool work(Time now, bool begin_rounds);
  /// Whether messages are out that have no outcome yet.
  [[nodiscard]] bool busy() const { return round_ != nullptr; }
  /// Ends the round that is out with what is known of it.
  void give_up(Time now);
  /// When `work` has something to do again without anybody's word.
  [[nodiscard]] Time next_work(Time otherwise) const;

  [[nodiscard]] bool has(const Delivery& delivery) const;
  [[nodiscard]] RouteReport report() const;
  /// The gauges, once in a while.
  void publish_lag();

 private:
  struct State;
  struct Round;

  State& fresh_state(Partition partition);
  std::vector<Partition> take_due(Time now);
  std::vector<Partition> take_look(const std::vector<Partition>& due, Time now);
  bool begin(const std::vector<Partition>& due, Time now);
  bool begin_released(Time now);
  void publish(Round& round);
  void settle(Time now);
  void settle_round(Round& round, const publish::PublishReport& report, Time now);
  void take_progress(Round& round, Time now);
  void failed(Partition partition, const std::string& problem, Time now);
  void succeeded(Partition partition);

  RouteSurroundings& around_;
  const Route* const route_;
  const std::string name_;
  RouteMetrics metrics_;
  RouteLetters letters_;
  ReleasedStreams released_;
  std::vector<State> states_;
  std::unique_ptr<Round> round_;
  std::size_t last_look_ = 0;   ///< of take_look
  std::uint32_t max_events_;    ///< lowered while the broker's buffer is too small
  bool released_last_ = false;  ///< the last thing begun was of released letters
  std::set<Partition> failing_;
  mutable std::mutex mutex_;  ///< guards `report_`
  RouteReport report_;
};

}  // namespace vouch::saga
