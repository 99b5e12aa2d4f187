// GroupFacts: what the database knows about a group of appends, looked up in three statements at
// most before the group is judged. In the quick mode it is asked only where the caller's knowledge
// does not do: versions are drawn from known heads, and ids of such appends are not looked up,
// since the keys refuse what is not so; the group is then judged again in the exact mode. Lives for
// one group; one thread.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "session.h"
#include "vouch/staging/group_plan.h"

namespace vouch::mysql {

enum class Judging : std::uint8_t { quick, exact };

class GroupFacts final : public staging::CommittedFacts {
 public:
  /// Looks everything up. `appends` must outlive it. Throws SqlError, StatusError (corrupt).
  GroupFacts(Session& session, std::span<const Append> appends, Judging judging);
  GroupFacts(const GroupFacts&) = delete;
  GroupFacts& operator=(const GroupFacts&) = delete;
  ~GroupFacts() = default;

  Version head(const StreamName& stream) override;
  std::optional<staging::StoredKey> key(const Idempotency& idempotency) override;
  bool id_stored(const EventId& id, bool first) override;
  std::optional<staging::StoredEvent> event(const NewEvent& event) override;

 private:
  struct Found {
    std::string type;
    std::string content_type;
    std::string data;
    staging::StoredEvent event;
  };

  void plan(std::span<const Append> appends, Judging judging);
  void want_head(std::string_view stream);
  void look_up_heads();
  void look_up_keys(std::span<const Append> appends);
  void look_up_ids(std::span<const EventId> ids);

  Session& session_;
  std::unordered_map<std::string_view, Version> heads_;
  std::vector<std::string_view> wanted_heads_;
  std::vector<EventId> wanted_ids_;
  std::set<EventId> known_ids_;  ///< that were looked up
  std::map<EventId, Found> found_;
  std::map<std::pair<std::string, std::string>, staging::StoredKey> keys_;
};

}  // namespace vouch::mysql
