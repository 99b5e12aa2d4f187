// State: everything that is committed, in memory, built from the journal's entries and changed by
// nothing else: what an entry says is applied after it was written, and again at the next start.
// The caller serialises.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "vouch/append.h"
#include "vouch/event.h"
#include "vouch/ledger.h"
#include "vouch/storage.h"

namespace storage_journal {

/// Never changed once it is committed, so that readers may keep it without a lock.
struct Stored {
  vouch::Event event;
  vouch::DeliveryId delivery;
  std::uint64_t position = 0;  ///< in the feed, from 1
};
using StoredPtr = std::shared_ptr<const Stored>;

using KeyName = std::pair<std::string, std::string>;  ///< scope, key

/// An idempotency key; `result` as vouch::staging encodes it.
struct KeyRow {
  std::string digest;
  std::string result;
  vouch::Timestamp written;
};

struct LedgerRow {
  vouch::Delivery delivery;
  std::vector<StoredPtr> events;
  std::optional<vouch::Timestamp> marked;
};

/// A transaction that is to be committed.
struct Transaction {
  struct Part {
    vouch::Delivery delivery;
    std::vector<vouch::Event> events;
  };
  vouch::Token token;
  std::vector<Part> parts;
  std::vector<std::pair<KeyName, KeyRow>> keys;
};

class State {
 public:
  // Entries of the journal. Each is applied by `apply`.
  static std::string identity_entry(const vouch::StoreIdentity& identity);
  static std::string session_entry(vouch::LaneNumber lane);
  static std::string transaction_entry(const Transaction& transaction);
  static std::string mark_entry(std::span<const vouch::DeliveryId> deliveries,
                                vouch::Timestamp now);
  static std::string purge_entry(vouch::Timestamp until, std::uint32_t limit);

  /// Errors: corrupt.
  vouch::Status apply(std::string_view entry);
  /// Every entry of the journal was applied: the sessions in it have ended.
  void loaded();

  [[nodiscard]] vouch::Version head(std::string_view stream) const;
  /// In words of a transaction that is not open.
  [[nodiscard]] vouch::Verdict resolve(const vouch::Token& token) const;
  [[nodiscard]] const LedgerRow* row(const vouch::DeliveryId& id) const;

  std::optional<vouch::StoreIdentity> identity;
  std::vector<StoredPtr> log;  ///< in commit order
  std::map<std::string, std::vector<StoredPtr>, std::less<>> streams;
  std::map<vouch::EventId, StoredPtr> ids;
  std::map<KeyName, KeyRow> keys;
  std::map<vouch::LedgerNumber, LedgerRow> ledger;
  std::set<vouch::LedgerNumber> waiting;  ///< rows that are not marked
  std::set<vouch::DeliveryId> purged;
  std::map<vouch::LaneNumber, std::uint32_t> incarnations;
  std::uint64_t sessions = 0;  ///< ever opened: ledger numbers of each begin behind those before it
  std::uint64_t last_purged = 0;  ///< rows that the last purge entry removed

  /// Highest batch given out of each lane. Of ended sessions: the highest that there could be.
  std::map<vouch::LaneNumber, vouch::BatchNumber> issued;

 private:
  void open_session(vouch::LaneNumber lane);
  void commit(Transaction transaction);
  void mark(const vouch::DeliveryId& id, vouch::Timestamp now);
  void purge(vouch::Timestamp until, std::uint32_t limit);

  std::map<vouch::Token, std::size_t> committed_;            ///< rows left in the ledger
  std::map<vouch::LaneNumber, vouch::BatchNumber> horizon_;  ///< highest batch purged
};

}  // namespace storage_journal
