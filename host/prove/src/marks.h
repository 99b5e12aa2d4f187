// Events by the mark in their data. Pure, any thread.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "prove/history.h"

namespace vouch::prove {

using ByMark = std::unordered_map<std::string, std::vector<const EventSeen*>>;

inline ByMark by_mark(const std::vector<EventSeen>& events) {
  ByMark found;
  for (const EventSeen& event : events) found[event.mark].push_back(&event);
  return found;
}

}  // namespace vouch::prove
