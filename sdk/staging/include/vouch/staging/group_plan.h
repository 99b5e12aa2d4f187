// GroupPlan: judges a group of appends and says which rows a storage must write for it. It knows
// the rules of `Lane::stage` (keys, ids, versions, preconditions, repetitions within the group,
// what is left when another session was quicker) and no database: what is committed it asks of a
// CommittedFacts. Lives for one group; one thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "vouch/append.h"

namespace vouch::staging {

/// A stored event that has the id of one that is to be appended.
struct StoredEvent {
  std::string stream;
  Version version;
  bool same_content = false;  ///< type, content type and data are those of the new one
  /// The transaction and delivery of the first time; none when they are purged.
  std::optional<Token> token;
  std::optional<DeliveryId> delivery;
};

/// An idempotency key that is stored.
struct StoredKey {
  std::string digest;
  StageResult result;
};

/// What the database knows, as far as the group may need it. A storage may look everything up
/// before the plan is made, or answer one by one. May throw; the plan is then void.
class CommittedFacts {
 public:
  /// The stream's head, 0 for one that does not exist. Asked once for each stream of a group.
  virtual Version head(const StreamName& stream) = 0;
  virtual std::optional<StoredKey> key(const Idempotency& idempotency) = 0;
  /// Whether an event with that id is stored; `first` tells whether it is the first of its write. A
  /// "no" may be wrong as long as the database refuses the id later.
  virtual bool id_stored(const EventId& id, bool first) = 0;
  /// Exact, unlike `id_stored`.
  virtual std::optional<StoredEvent> event(const NewEvent& event) = 0;

 protected:
  ~CommittedFacts() = default;
};

/// An event's row. The views point into the appends.
struct PlannedRow {
  Partition partition;
  std::string_view stream;
  Version version;
  const NewEvent* event = nullptr;
  std::uint32_t append = 0;  ///< index in the group
};

/// Well formed: at least one write with at least one event each, legal names, known partitions, no
/// stream twice. Errors: invalid_argument.
Status check_appends(std::span<const Append> appends, std::uint32_t partitions);

class GroupPlan {
 public:
  /// Judges every append, in order. Pre: the appends are well formed, and outlive the plan.
  GroupPlan(std::span<const Append> appends, const Token& token, CommittedFacts& facts);

  /// Sorted by (partition, stream, version): all hosts insert in this order, so that they can't
  /// deadlock over events.
  [[nodiscard]] std::span<const PlannedRow> rows() const { return rows_; }

  /// Another session was quicker: `inserted[i]` tells whether row i got in. Every append of which a
  /// row did not, and every append that builds on one of those, is out: stored before, if `facts`
  /// says so now of its ids, else lost_race. Returns the indexes of rows that got in and must be
  /// removed again; `rows` no longer holds what is out.
  std::vector<std::size_t> withdraw(const std::vector<bool>& inserted, CommittedFacts& facts);

  /// The transaction's token is known in full only once it has begun. Before `withdraw` and
  /// `finish`. Pre: lane and batch are as before.
  void settle_token(const Token& token);

  /// The group's result. `deliveries`: the ledger rows, one for each partition in `rows`.
  [[nodiscard]] StagedGroup finish(std::vector<Delivery> deliveries);

  /// Keys to be stored with the group, each with the result to keep. Pre: finished.
  struct NewKey {
    const Idempotency* idempotency;
    StageResult result;
  };
  [[nodiscard]] std::vector<NewKey> new_keys() const;

 private:
  struct IdHash {
    std::size_t operator()(const EventId& id) const;
  };
  struct Own {
    std::string_view stream;
    Version version;
    const NewEvent* event;
    std::size_t append;
  };

  StageResult judge(std::size_t index);
  std::optional<StageResult> known_key(std::size_t index);
  std::optional<StageResult> known_ids(std::size_t index, CommittedFacts& facts);
  bool any_id_stored(const Append& append, CommittedFacts& facts) const;
  std::optional<StoredEvent> find(const NewEvent& event, std::size_t index, CommittedFacts& facts);
  std::optional<StageResult> draw_versions(std::size_t index, StageResult& result);
  std::optional<StageResult> refused_precondition(std::size_t index);
  void accept(std::size_t index, const StageResult& result);
  Version committed_head(const StreamName& stream);
  std::optional<Version> own_head(std::string_view stream, std::size_t index);

  std::span<const Append> appends_;
  Token token_;
  CommittedFacts& facts_;
  std::vector<StageResult> results_;
  std::vector<PlannedRow> rows_;
  std::unordered_map<std::string_view, Version> committed_heads_;
  std::unordered_map<std::string_view, std::pair<Version, std::size_t>> own_heads_;
  std::unordered_map<EventId, Own, IdHash> own_ids_;
  std::map<std::pair<std::string_view, std::string_view>, std::size_t> own_keys_;
  /// (append, earlier append of the group that it builds on)
  std::vector<std::pair<std::size_t, std::size_t>> builds_on_;
  /// (append, partition): its delivery is told at the end.
  std::vector<std::pair<std::size_t, Partition>> wanted_;
  /// (append, earlier append with the same key)
  std::vector<std::pair<std::size_t, std::size_t>> repeats_;
};

}  // namespace vouch::staging
