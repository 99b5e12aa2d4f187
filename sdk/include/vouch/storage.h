// The storage contract: what a database must be able to say for Vouch to keep its promise.
// A Storage is a thread-safe object; a Lane is one database session, used by one thread at a time.
//
// Thread tags: [startup] one thread, before anything else runs · [shutdown] one thread, after all
// other calls returned · [any-thread] may run concurrently with everything · [one-at-a-time] the
// host serialises the calls on that object.
// No method throws by contract. None keeps a reference to its arguments after it returned.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vouch/event.h"
#include "vouch/plugin_base.h"
#include "vouch/types.h"

namespace vouch {

/// Who the store is. Fixed when the store is created; a host that disagrees is refused.
struct StoreIdentity {
  std::string name;
  std::uint32_t partitions = 0;
};

/// Differences between databases that the host must know of. Never branch on a plugin's name.
struct StorageCapabilities {
  std::uint32_t max_lanes = 0;        ///< open write transactions at once; 0: no limit
  bool several_hosts = false;         ///< more than one host may open the store
  bool change_notification = false;   ///< commits of other hosts are announced
  bool online_schema_change = false;  ///< `migrate` does not block running hosts
  std::uint64_t max_event_bytes = 0;  ///< largest payload; 0: no limit of its own
};

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

enum class CommitOutcome : std::uint8_t {
  committed = 0,  ///< and durable
  aborted = 1,    ///< nothing of it will ever be seen
  unknown = 2,    ///< the answer was lost: ask `Storage::resolve`
};

struct CommitResult {
  CommitOutcome outcome = CommitOutcome::unknown;
  Status reason;  ///< not ok unless committed
};

/// One database session with at most one open transaction and the lane's lock, held on that very
/// session: who gets a dead host's lane lock knows that its transaction is over.
/// [one-at-a-time] for all methods. Destruction rolls back and releases the lock.
class Lane {
 public:
  Lane() = default;
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;
  virtual ~Lane() = default;

  [[nodiscard]] virtual LaneNumber number() const = 0;

  /// Opens a transaction, inserts events and ledger rows, sorted by (partition, stream, version).
  /// A conflict of one append spares its neighbours: what does not fit is reported and leaves no
  /// trace. Appends see the ones before them in the group. Ledger numbers are drawn after the
  /// versions, inside the transaction. Nothing is visible to others yet.
  /// Pre: no transaction is open. Post: on ok, one is open (even if nothing was staged).
  /// Errors: unavailable (no transaction is open; the session reconnects by itself with a new
  /// incarnation on the next call), contended (rolled back: stage again), too_large,
  /// invalid_argument, corrupt.
  /// May block for the database's lock time-out.
  virtual Result<StagedGroup> stage(std::span<const Append> appends) = 0;

  /// Ends the open transaction. `committed` means durable. After `unknown` the session is gone and
  /// the next `stage` opens a new one.
  virtual CommitResult commit() = 0;

  /// Ends the open transaction, if there is one, without a trace. Never fails loudly: a session
  /// that can't roll back is closed, which has the same effect.
  virtual void rollback() = 0;
};

enum class Verdict : std::uint8_t {
  committed = 0,    ///< visible and durable
  in_progress = 1,  ///< neither yet: ask again
  aborted = 2,      ///< never was visible and never will be
  forgotten = 3,  ///< purged from the ledger (delivered, or aborted, long ago), or never given out
};

/// Takes deliveries and their events.
class DeliverySink {
 public:
  /// Returns whether the events of this delivery are wanted; they follow at once, a stream's in
  /// version order.
  virtual bool delivery(const Delivery& delivery) = 0;
  virtual void event(const EventView& event) = 0;

 protected:
  ~DeliverySink() = default;
};

/// What of a partition is committed and not marked delivered.
struct Backlog {
  Partition partition;
  std::uint64_t deliveries = 0;
  std::uint64_t events = 0;
  std::optional<Timestamp> oldest;  ///< when the oldest of them was written
};

/// The right to deliver a partition. Ends by itself when the session or the host dies.
/// Destruction gives it back. [any-thread]
class Claim {
 public:
  Claim() = default;
  Claim(const Claim&) = delete;
  Claim& operator=(const Claim&) = delete;
  virtual ~Claim() = default;
  [[nodiscard]] virtual Partition partition() const = 0;
  /// False once the lock is known to be lost; cheap, asks nobody.
  [[nodiscard]] virtual bool held() const = 0;
};

/// The rows that say what must still be published. [any-thread] for all methods.
class Ledger {
 public:
  /// Committed, undelivered deliveries of `partitions` in the order of their numbers, with their
  /// events, until about `max_events` events were given (at least one delivery, if there is one).
  /// Of two deliveries with events of one stream both are seen or only the earlier.
  virtual Status ready(std::span<const Partition> partitions, std::uint32_t max_events,
                       DeliverySink& sink) = 0;

  /// Marks deliveries as published. Idempotent. The mark may be lost in a crash (the delivery is
  /// then ready again), but while this host runs a marked delivery is never ready again.
  virtual Status complete(std::span<const DeliveryId> deliveries) = 0;

  /// For each id: is it marked, or purged since? (1 yes, 0 no.) False for ids never committed.
  virtual Result<std::vector<std::uint8_t>> delivered(std::span<const DeliveryId> deliveries) = 0;

  /// One entry for each partition of the store, in order.
  virtual Result<std::vector<Backlog>> backlog() = 0;

  /// Forgets deliveries that were marked at least `age` ago, and idempotency keys of that age, at
  /// most `limit` of each in one transaction. Returns how many rows it removed; 0 means done.
  virtual Result<std::uint64_t> purge(std::chrono::seconds age, std::uint32_t limit) = 0;

  /// Takes the right to deliver a partition. Errors: held (by another host), unavailable.
  virtual Result<std::unique_ptr<Claim>> claim(Partition partition) = 0;

 protected:
  ~Ledger() = default;
};

enum class Direction : std::uint8_t { forward = 0, backward = 1 };

/// Empty members match everything.
struct FeedFilter {
  std::string category;
  std::string type;
  std::string stream;
};

struct FeedQuery {
  Cursor after;
  /// Nothing behind this place is given; `at_end` then means that it was reached. Pre: `after` does
  /// not lie behind it.
  std::optional<Cursor> until;
  FeedFilter filter;
  std::uint32_t limit = 0;
};

/// Takes feed events with the cursor that reads on behind each.
class FeedSink {
 public:
  /// Returns false to end the page early; `after` is then the page's cursor.
  virtual bool event(const EventView& event, std::string_view after) = 0;

 protected:
  ~FeedSink() = default;
};

struct FeedPage {
  Cursor next;          ///< reads on from here; behind the last event looked at, matching or not
  bool at_end = false;  ///< nothing (up to `until`) was committed behind `next` at the time
};

/// A stream and its head.
class StreamSink {
 public:
  virtual bool stream(std::string_view name, Version head) = 0;

 protected:
  ~StreamSink() = default;
};

/// Committed events only. [any-thread] for all methods. Memory use does not grow with the length of
/// a stream; no database snapshot is held between calls.
class Reader {
 public:
  /// Events of a stream from version `from` (inclusive), at most `limit`, in `direction`.
  /// A stream that does not exist has no events. `from` 0 means 1 forward, the head backward.
  virtual Status stream(const StreamName& stream, Version from, Direction direction,
                        std::uint32_t limit, EventSink& sink) = 0;

  /// The head of each stream, 0 for one that does not exist.
  virtual Result<std::vector<Version>> heads(std::span<const StreamName> streams) = 0;

  /// Gives the event with that id to the sink. Errors: not_found.
  virtual Status event(const EventId& id, EventSink& sink) = 0;

  /// Matching events behind `query.after`, in an order in which a stream's versions rise. No event
  /// ever turns up at or before a cursor that was given out. (Two readers may see the events of
  /// different streams in different orders.) May give fewer than the limit without being at the
  /// end, so that a rare filter can't hold a session long.
  /// Errors: invalid_argument for a cursor that this store never gave out.
  virtual Result<FeedPage> feed(const FeedQuery& query, FeedSink& sink) = 0;

  /// Whether `cursor` is at or behind `target` in every respect: nothing up to `target` remains to
  /// be read from `cursor`. Asks nobody. Errors: invalid_argument.
  virtual Result<bool> reached(const Cursor& cursor, const Cursor& target) = 0;

  /// The cursor behind everything that is committed now.
  virtual Result<Cursor> feed_end() = 0;

  /// Streams whose names sort after `after` (bytewise), of one category if that is not empty.
  virtual Status streams(std::string_view category, std::string_view after, std::uint32_t limit,
                         StreamSink& sink) = 0;

 protected:
  ~Reader() = default;
};

/// A database. Created by the plugin's `create`, which does no I/O.
class Storage : public Plugin {
 public:
  /// Connects. Errors say in words what is wrong (address, credentials, rights). [startup]
  virtual Status open() = 0;

  /// Refuses, in words, server settings that would break the promise. Pre: open. [startup]
  virtual Status check() = 0;

  /// Creates or upgrades the schema and records `identity`, or compares it with what is recorded
  /// (failed_precondition with both values). Idempotent, safe when hosts race; a schema newer than
  /// the plugin is refused. Pre: open. [startup]
  virtual Status migrate(const StoreIdentity& identity) = 0;

  /// Ends all sessions. Pre: all lanes and claims are destroyed. Idempotent. [shutdown]
  virtual void close() = 0;

  /// May block for a second at most. [any-thread]
  virtual Health health() = 0;

  [[nodiscard]] virtual StorageCapabilities capabilities() const = 0;

  /// In one or two sentences for people: what a commit survives, as this server is set up.
  [[nodiscard]] virtual std::string guarantees() const = 0;

  /// Opens the session of a lane and takes its lock, waiting at most `wait` for a dead owner's
  /// lock to go. Errors: held, unavailable. Pre: migrated. [any-thread]
  virtual Result<std::unique_ptr<Lane>> lane(LaneNumber number, std::chrono::milliseconds wait) = 0;

  /// What became of each transaction, in order, asked of the database. Definite: never a guess by
  /// time; right after a crash or restart of host or server. Errors: unavailable (for all of them).
  /// Pre: the token's `stage` returned before this call. [any-thread]
  virtual Result<std::vector<Verdict>> resolve(std::span<const Token> tokens) = 0;

  /// Ends the session that owns a transaction, so that `resolve` becomes final. [any-thread]
  virtual Status fence(const Token& token) = 0;

  virtual Ledger& ledger() = 0;
  virtual Reader& reader() = 0;

 protected:
  ~Storage() = default;
};

}  // namespace vouch
