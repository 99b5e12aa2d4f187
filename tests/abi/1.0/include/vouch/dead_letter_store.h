// DeadLetterStore: an optional interface of a storage plugin. It keeps, for each (route, stream),
// from which event on nothing of the stream was published on the route, because a broker refused
// that event for good. Without it a refused event holds its partition up.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "vouch/types.h"

namespace vouch {

struct DeadLetterKey {
  std::string route;   ///< its name in the configuration
  std::string stream;  ///< empty only where it stands for the place before all streams
  auto operator<=>(const DeadLetterKey&) const = default;
};

struct DeadLetter {
  DeadLetterKey key;
  Partition partition;  ///< of the stream
  Version version;      ///< the first event that was not published
  Version last;         ///< the highest version known not to be published; below `version` if none
  bool released = false;  ///< to be published now, from `version` on
  EventId event;          ///< the event that was refused
  std::string topic;      ///< where it was refused
  std::string reason;     ///< the broker's, in words
  Timestamp since;        ///< when it was refused
  std::uint32_t attempts = 0;
  std::uint64_t revision = 0;  ///< raised by the store with each change; from 1
};

/// [any-thread] for all methods; what they changed is durable when they return ok.
class DeadLetterStore {
 public:
  static constexpr const char* kInterface = "vouch.storage.dead_letters/1";

  /// Keeps each letter. If one of its key is there, the one with the lower version stays, with the
  /// higher `last` of both; one that adds nothing changes nothing. Not atomic across letters.
  virtual Status put(std::span<const DeadLetter> letters) = 0;

  /// At most `limit` letters of `partitions` (of all, when that is empty) with keys above `after`,
  /// in the order of their keys, compared as bytes.
  virtual Result<std::vector<DeadLetter>> list(std::span<const Partition> partitions,
                                               const DeadLetterKey& after, std::uint32_t limit) = 0;

  virtual Result<std::optional<DeadLetter>> find(const DeadLetterKey& key) = 0;

  /// Replaces everything but key, partition and revision, unless the letter is gone or has another
  /// revision than `known`: then false. After `unavailable` it may have happened.
  virtual Result<bool> replace(const DeadLetter& known, const DeadLetter& with) = 0;

  /// Removes the letter, under the same condition.
  virtual Result<bool> remove(const DeadLetter& known) = 0;

 protected:
  ~DeadLetterStore() = default;
};

}  // namespace vouch
