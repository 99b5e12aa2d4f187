// Follower: one subscriber's place in a stream. Its fields are guarded by the lock of the reader,
// but for what is said.
#pragma once

#include <atomic>
#include <optional>
#include <string>

#include "entry.h"
#include "vouch/broker.h"

namespace broker_redis {

struct Follower {
  Follower(vouch::MessageSink& to, std::string_view of_topic, vouch::Partition of_partition,
           std::string of_key)
      : sink(to), topic(of_topic), partition(of_partition), key(std::move(of_key)) {}

  vouch::MessageSink& sink;
  const std::string topic;
  const vouch::Partition partition;
  const std::string key;
  std::atomic<bool> stopped{false};  ///< any thread

  /// The last entry that it got, or behind which it began; none while that is not known.
  std::optional<EntryId> position;
  bool refused = false;  ///< Redis does not let it be read
};

/// What a look at a stream says to a follower that had not read on for a while.
struct Place {
  EntryId position;
  bool gap = false;  ///< entries may have been missed
};

/// `first`, `last`: the ids of the entries that are there now; none if there are none.
///
/// A follower without a position begins behind the last. An entry that it read last and that is not
/// there any more was trimmed, and perhaps others behind it. A stream that ends before that entry
/// is another one: Redis lost it and began anew, and everything in it is news.
Place place_after(const std::optional<EntryId>& position, const std::optional<EntryId>& first,
                  const std::optional<EntryId>& last);

}  // namespace broker_redis
