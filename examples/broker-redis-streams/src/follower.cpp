#include "follower.h"

namespace broker_redis {

Place place_after(const std::optional<EntryId>& position, const std::optional<EntryId>& first,
                  const std::optional<EntryId>& last) {
  if (!position) return {last.value_or(EntryId{}), false};
  const EntryId end = last.value_or(EntryId{});
  if (end < *position) return {EntryId{}, true};
  return {*position, first && *first > *position};
}

}  // namespace broker_redis
