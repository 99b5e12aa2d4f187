// GroupFacts: what the database knows that a group needs, looked up in batches inside its
// transaction: heads of streams that the caller does not know, idempotency keys, and the first
// event id of each write whose head is unknown. Whatever else is taken (an id, a version), the
// unique keys refuse, and it is looked up then. Lives for one group; one thread.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "session.h"
#include "vouch/staging/group_plan.h"

namespace vouch::postgres {

class GroupFacts final : public staging::CommittedFacts {
 public:
  /// `last_place` is the last one of the lane before this group: what lies behind is the group's
  /// own. `trust_known_heads`: versions are drawn from the heads that the caller knows; else they
  /// are looked up, since a server that lost commits may have taken over.
  GroupFacts(Session& session, std::span<const Append> appends, LaneNumber lane,
             std::int64_t last_place, bool trust_known_heads);

  /// Whether anything must be asked before the group can be judged.
  [[nodiscard]] bool questions() const {
    return !streams_.empty() || !keys_.empty() || !first_ids_.empty();
  }
  /// Asks, after BEGIN in the same round trip. Throws SqlError, StatusError (corrupt).
  void look_up();
  /// Asks for all event ids of these appends. Throws SqlError.
  void look_up_ids(std::span<const std::size_t> appends);

  Version head(const StreamName& stream) override;
  std::optional<staging::StoredKey> key(const Idempotency& idempotency) override;
  bool id_stored(const EventId& id, bool first) override;
  std::optional<staging::StoredEvent> event(const NewEvent& event) override;

 private:
  struct StoredContent {
    std::string type;
    std::string content_type;
    std::string data;
    staging::StoredEvent event;
  };
  void take_keys(const Rows& rows);

  Session& session_;
  std::span<const Append> appends_;
  const LaneNumber lane_;
  const std::int64_t last_place_;
  std::unordered_map<std::string_view, Version> heads_;
  std::set<std::string_view> streams_;  ///< whose heads are asked
  std::vector<const Idempotency*> keys_;
  std::map<EventId, std::size_t> first_ids_;  ///< with their append
  std::map<std::pair<std::string, std::string>, staging::StoredKey> stored_keys_;
  std::map<EventId, StoredContent> stored_events_;
};

}  // namespace vouch::postgres
