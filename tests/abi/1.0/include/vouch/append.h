// What is appended and what became of it: the values that go into and come out of `Lane::stage`.
// Plain values, any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "vouch/event.h"
#include "vouch/types.h"

namespace vouch {

/// Events for one stream. The versions are drawn by the storage.
struct Write {
  StreamName stream;
  Partition partition;
  ExpectedVersion expected;
  /// The stream's head as the caller last saw it committed. The storage may draw versions from it
  /// without asking the database, since its key on (stream, version) refuses a stale one; it must
  /// not answer wrong_version from it without asking.
  std::optional<Version> known_head;
  std::vector<NewEvent> events;  ///< at least one
};

/// A demand on a stream that is not written.
struct Precondition {
  StreamName stream;
  ExpectedVersion expected;
};

/// `digest` stands for the request's content: same key with another digest is a client's mistake.
struct Idempotency {
  std::string scope;   ///< the stream's name, or empty for an append of several streams
  std::string key;     ///< 1 to 255 visible ASCII characters
  std::string digest;  ///< at most 64 bytes
};

/// The unit of atomicity: all of its writes become visible together, or none does.
struct Append {
  std::vector<Write> writes;  ///< at least one; each stream at most once
  std::vector<Precondition> preconditions;
  std::optional<Idempotency> idempotency;
};

enum class StageOutcome : std::uint8_t {
  staged = 0,         ///< in the open transaction; `ranges` tells the versions
  wrong_version = 1,  ///< an expected version is not met: `failed`, `actual`
  /// Stored before: `ranges`, `ids`, `token`, `deliveries` of the first time. By the idempotency
  /// key; or all event ids stand on the same streams, next to each other, in order, each with the
  /// same type, content type and data (metadata and time may differ: they may have been added on
  /// the way).
  duplicate = 2,
  key_reused = 3,  ///< the idempotency key stands for another digest
  id_reused = 4,   ///< an event id is taken by another event: `failed` is the write
  lost_race = 5,   ///< another session took a version first; append again in a new transaction
};

struct VersionRange {
  Version first;
  Version last;
};

struct StageResult {
  StageOutcome outcome = StageOutcome::staged;
  std::vector<VersionRange> ranges;  ///< one for each write: staged, duplicate
  std::uint32_t failed = 0;  ///< index of the write; writes.size() + index for a precondition
  Version actual;            ///< of the failed stream: wrong_version
  std::vector<EventId> ids;  ///< of all writes in order: duplicate
  Token token;               ///< the transaction of the first time: duplicate
  std::vector<DeliveryId> deliveries;  ///< where it was or will be delivered: staged, duplicate
};

/// One ledger row: the events of one transaction in one partition.
struct Delivery {
  DeliveryId id;
  Token token;
  std::uint32_t events = 0;
  Timestamp written;
};

/// What `Lane::stage` put into the open transaction.
struct StagedGroup {
  Token token;
  std::vector<StageResult> results;  ///< one for each append, in order
  std::vector<Delivery> deliveries;  ///< one for each partition touched; empty: nothing staged
};

}  // namespace vouch
