// ErasureStore: an optional interface of a storage plugin. It takes the contents out of events that
// are stored, for data protection: what stays is a tombstone, so that order and counts stay true.
// Without it an event is kept as it came for as long as the store.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "vouch/types.h"

namespace vouch {

/// What is to be erased, and why.
struct Erasure {
  StreamName stream;
  Version first;         ///< from 1
  Version last;          ///< inclusive; cut to the head
  Timestamp time;        ///< when it was asked for
  std::string reason;    ///< in words (UTF-8), at most `kMaxErasureReason` bytes
  std::string metadata;  ///< of a tombstone: the text of a JSON object; the same for all of them
};

/// Bytes.
inline constexpr std::size_t kMaxErasureReason = 1'000;

/// The data and the content type of a tombstone.
inline constexpr const char* kTombstoneData = "null";
inline constexpr const char* kTombstoneContentType = "application/json";

struct ErasureOutcome {
  Version last;                 ///< of the range as it was cut
  std::uint64_t events = 0;     ///< that became tombstones now
  std::uint64_t snapshots = 0;  ///< that were deleted
};

/// An erasure that was done.
struct ErasureRecord {
  StreamName stream;
  Version first;
  Version last;  ///< at most the head of that time
  Timestamp time;
  std::string reason;
  std::uint64_t events = 0;
};

/// [any-thread] for all methods; what they changed is durable when they return ok.
class ErasureStore {
 public:
  static constexpr const char* kInterface = "vouch.storage.erasures/1";

  /// In one database transaction: the events of the range become tombstones (data, content type and
  /// metadata are replaced; id, stream, version, type, time and places stay), the stream's
  /// snapshots of version `first` and above are deleted, and a record is written. Events that are
  /// tombstones already keep theirs; an erasure that finds nothing left to erase is no change, and
  /// is not recorded. So it may be repeated when its answer was lost.
  ///
  /// Events that are appended meanwhile lie above the range. Ledger, idempotency keys and dead
  /// letters stay: an append under a known key is still a duplicate; one that repeats the event ids
  /// without a key is compared with the tombstone, and so refused as id_reused.
  ///
  /// What is readable through the database is gone when this returns ok. Which of the server's
  /// files hold it for longer is the plugin's to document.
  /// Errors: not_found (the stream), invalid_argument (an empty range, the reason's length);
  /// contended, unavailable: it happened as a whole or not at all, and may be repeated.
  virtual Result<ErasureOutcome> erase(const Erasure& erasure) = 0;

  /// The stream's records, the oldest first.
  virtual Result<std::vector<ErasureRecord>> recorded(const StreamName& stream) = 0;

 protected:
  ~ErasureStore() = default;
};

/// Ok, or invalid_argument in words: what every plugin asks before it begins.
inline Status check_erasure(const Erasure& erasure) {
  if (erasure.first.value == 0 || erasure.last < erasure.first) {
    return {StatusCode::invalid_argument, "an erasure goes from a version from 1 to one not below"};
  }
  if (erasure.reason.size() > kMaxErasureReason) {
    return {StatusCode::invalid_argument,
            "the reason of an erasure has at most " + std::to_string(kMaxErasureReason) + " bytes"};
  }
  return {};
}

}  // namespace vouch
