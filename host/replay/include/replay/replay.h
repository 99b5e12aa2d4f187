// Replay: publishes history again, for consumers that lost messages or came late. It reads the feed
// (or one stream) page by page, publishes a page, and goes on when every message of it is
// acknowledged, so that a stream's events go out in version order. Messages are marked as
// redelivered.
//
// It repeats and never precedes: the first occurrence of an event is the saga's, whose order would
// break otherwise. So it begins when everything that was committed before it is delivered, and
// leaves out what waits behind a dead letter. Nothing of it is kept anywhere: whoever asked holds
// the place where it is, and goes on from there, on any host, when it was broken off.
//
//   the process dies …              then
//   while a page is being published   whoever goes on publishes again what was not told yet:
//   duplicates
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "publish/outbound.h"
#include "vouch/host_services.h"
#include "vouch/storage.h"

namespace vouch::replay {

struct ReplayOptions {
  std::string store;
  std::uint32_t partitions = 8;
  std::chrono::milliseconds publish_timeout{10'000};
  std::chrono::milliseconds first_retry{100};  ///< after a failure, doubling up to the maximum
  std::chrono::milliseconds max_retry{5'000};
};

/// What to publish again. Events that match everything that is given.
struct ReplayRequest {
  Cursor after;                 ///< of the feed; the default is its start
  std::optional<Cursor> until;  ///< up to there; up to what is committed now if not given
  /// One stream, from a version on, up to its head; `after` and `until` mean nothing then.
  std::optional<StreamName> stream;
  Version from{1};
  std::string category;             ///< empty: all
  std::string type;                 ///< empty: all
  std::optional<Timestamp> since;   ///< events of that time or later
  std::optional<Timestamp> before;  ///< events of an earlier time
  std::string route;                ///< its name; empty: every route that an event matches
  std::uint32_t rate = 2'000;       ///< messages a second at most; 0: as fast as it goes
  bool dry_run = false;             ///< counts and publishes nothing
};

enum class ReplayState : std::uint8_t {
  waiting,  ///< for the delivery of what was committed before it began
  running,
  done,
};

/// Counts since `begin`.
struct ReplayProgress {
  ReplayState state = ReplayState::waiting;
  Cursor after;                      ///< where to go on; of the feed
  Version from;                      ///< the same, of a stream
  std::uint64_t events = 0;          ///< that match
  std::uint64_t published = 0;       ///< messages acknowledged; of a dry run: that there would be
  std::uint64_t held_back = 0;       ///< messages that wait behind a dead letter
  std::uint64_t refused = 0;         ///< messages that a broker refused for good
  std::optional<Timestamp> reached;  ///< time of the last event
  std::string problem;               ///< why it does not get on, in words; it tries again by itself
};

/// One replay. One thread.
class Replay {
 public:
  virtual ~Replay() = default;

  /// Works until `deadline`, until it is done, or until `give_up` is true (noticed within 100 ms,
  /// or when a broker has answered).
  virtual ReplayProgress work(std::chrono::steady_clock::time_point deadline,
                              const std::atomic<bool>& give_up) = 0;
  /// Up to where it goes; empty for a stream.
  [[nodiscard]] virtual Cursor until() const = 0;
};

/// Makes replays, one at a time. [any-thread]
class Replays {
 public:
  /// All references must outlive it; it must outlive what it made.
  Replays(ReplayOptions options, Storage& storage, std::vector<publish::Route> routes,
          HostServices& services);
  ~Replays();
  Replays(const Replays&) = delete;
  Replays& operator=(const Replays&) = delete;

  /// Publishes nothing yet. Errors: already_exists while another one is there on this host,
  /// not_found for a route that there is none of, invalid_argument for cursors that this store
  /// never gave out, unavailable.
  Result<std::unique_ptr<Replay>> begin(const ReplayRequest& request);

 private:
  const ReplayOptions options_;
  Storage& storage_;
  const std::vector<publish::Route> routes_;
  HostServices& services_;
  std::shared_ptr<std::atomic<bool>> taken_;
};

}  // namespace vouch::replay
