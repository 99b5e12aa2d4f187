// The state behind MemoryDatabase: committed rows, sessions with their open transactions, lane
// locks and claims. All members are guarded by `mutex`; functions that take a lock need it held.
#pragma once

#include <atomic>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "vouch/testkit/memory_storage.h"

namespace vouch::testkit {

/// A stored event. Written until its transaction commits, never after: an erasure puts another in
/// its place.
struct Record {
  Event event;
  Partition partition;
  Token token;
  DeliveryId delivery;
  std::uint64_t position = 0;  ///< in the feed, from 1
};
using RecordPtr = std::shared_ptr<Record>;

using KeyName = std::pair<std::string, std::string>;  // scope, key

/// An idempotency key and the first result.
struct KeyRow {
  std::string digest;
  std::vector<VersionRange> ranges;
  std::vector<EventId> ids;
  Token token;
  std::vector<DeliveryId> deliveries;
  Timestamp written;
};

struct LedgerRow {
  Delivery delivery;
  std::vector<RecordPtr> records;
  std::optional<Timestamp> marked;
};

/// What an open transaction has written; only its own session sees it.
struct Transaction {
  Token token;
  std::vector<RecordPtr> records;
  std::map<std::string, std::vector<RecordPtr>> streams;
  std::map<EventId, RecordPtr> ids;
  std::map<KeyName, KeyRow> keys;
  std::set<std::string> guarded;  ///< streams that preconditions speak of: others wait to write
  std::vector<LedgerRow> rows;
};

/// A connection of one host that holds a lane's lock.
struct Session {
  LaneNumber lane;
  const void* host = nullptr;
  std::uint32_t incarnation = 0;
  std::uint32_t batches = 0;
  bool alive = true;
  std::unique_ptr<Transaction> open;
  const Session* waits_for = nullptr;
};
using SessionPtr = std::shared_ptr<Session>;

struct ClaimState {
  const void* host = nullptr;
  std::atomic<bool> held{true};
};

Timestamp wall_now();

class MemoryDatabase::Impl {
 public:
  mutable std::mutex mutex;
  /// Signalled whenever a transaction or a session ends.
  std::condition_variable ended;

  std::optional<StoreIdentity> identity;
  std::vector<RecordPtr> log;  ///< committed events, in commit order
  std::map<std::string, std::vector<RecordPtr>> streams;
  std::map<EventId, RecordPtr> ids;
  std::map<KeyName, KeyRow> keys;
  std::map<std::string, Snapshot> snapshots;
  std::map<DeadLetterKey, DeadLetter> dead_letters;
  struct Announced {
    HostEntry host;
    std::chrono::steady_clock::time_point at;
  };
  std::map<std::string, Announced> hosts;
  std::vector<ErasureRecord> erasures;  ///< in the order in which they were done

  std::map<LedgerNumber, LedgerRow> ledger;
  std::set<LedgerNumber> undelivered;
  std::set<DeliveryId> purged;
  std::map<Token, std::size_t> committed;     ///< rows left in the ledger
  std::map<LaneNumber, BatchNumber> issued;   ///< highest batch given out of each lane
  std::map<LaneNumber, BatchNumber> horizon;  ///< highest batch purged of each lane
  std::uint64_t last_number = 0;              ///< drawn, used or not
  std::map<LaneNumber, SessionPtr> sessions;  ///< who is in here holds the lane's lock
  std::map<LaneNumber, std::uint32_t> incarnations;
  std::map<Partition, std::shared_ptr<ClaimState>> claims;

  /// A session for a lane nobody holds, with a new incarnation.
  SessionPtr open_session(LaneNumber lane, const void* host);
  /// Rolls back and gives up the lane's lock. Idempotent.
  void end_session(Session& session);
  /// Ends everything that a host holds.
  void end_host(const void* host);
  void begin(Session& session);
  void commit(Session& session);
  void rollback(Session& session);

  [[nodiscard]] Version head(const std::string& stream) const;
  [[nodiscard]] Verdict resolve(const Token& token) const;
  /// Returns whether the row was there and not marked.
  bool mark(const DeliveryId& id);
  std::uint64_t purge(Timestamp until, std::uint32_t limit);
  /// Pre: the stream exists, the range is cut to its head.
  ErasureOutcome erase(const Erasure& erasure);
};

}  // namespace vouch::testkit
