// ReleasedStreams: what one route publishes of the streams whose dead letters were released, from
// their letters on: loads a part of it for a round, and takes letters further or away by what
// became of it. Of the saga's thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "publish/publish_call.h"
#include "retry_pause.h"
#include "route_letters.h"
#include "route_metrics.h"
#include "route_surroundings.h"

namespace vouch::saga {

class ReleasedStreams {
 public:
  using Time = std::chrono::steady_clock::time_point;

  /// A released letter and how far its stream was read.
  struct Released {
    DeadLetter letter;
    Version read;        ///< the last version read; below the letter's if there was none
    bool ended = false;  ///< nothing was behind it
    /// The first event that is not acknowledged, and why it was refused, if it was.
    std::optional<std::size_t> stopped_at;
    std::optional<Status> refused;
  };
  /// Of one round.
  struct Load {
    std::vector<Released> letters;
    std::vector<OutboundEvent> events;  ///< whose items are places in `letters`
  };

  /// `route` is null for a store without routes: then nothing is ever due.
  ReleasedStreams(RouteSurroundings& around, const Route* route, const std::string& name,
                  const RouteLetters& letters, RouteMetrics& metrics);

  [[nodiscard]] bool due(Time now) const;
  /// Null when it can't be loaded; it is due again after a pause then. Pre: due.
  std::unique_ptr<Load> load(std::uint32_t max_events, Time now);
  void settle(Load& load, const publish::PublishReport& report, Time now);
  /// When it is due again, if that is before `otherwise`.
  [[nodiscard]] Time next_work(Time otherwise) const;

 private:
  void pause(const std::string& problem, Time now);

  RouteSurroundings& around_;
  const Route* const route_;
  const std::string name_;
  const RouteLetters& letters_;
  RouteMetrics& metrics_;
  RetryPause pause_;
};

}  // namespace vouch::saga
