// Ledger: the part of the storage contract that says what must still be published. Thread tags: see
// storage.h.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "vouch/append.h"
#include "vouch/event.h"

namespace vouch {

/// Takes deliveries and their events.
class DeliverySink {
 public:
  /// Asked before `delivery`, perhaps long before: whether the events must be read. If not,
  /// `delivery` is called in its turn all the same, and no events follow.
  virtual bool must_be_read(const Delivery& /*delivery*/) { return true; }
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
  /// Committed, undelivered deliveries of `partitions` with numbers above `after`, in the order of
  /// their numbers, with their events, until about `max_events` events were given (at least one
  /// delivery, if there is one); those that the sink declines count as well. Of two deliveries with
  /// events of one stream both are seen or only the earlier. A number at or below `after` may still
  /// be committed later: asking above one that was seen is for those who look again from 0.
  virtual Status ready(std::span<const Partition> partitions, LedgerNumber after,
                       std::uint32_t max_events, DeliverySink& sink) = 0;

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

}  // namespace vouch
