// What a topic may be to publish to (MQTT 5.0 section 4.7.3). Stateless, any thread.
#pragma once

#include <string_view>

#include "vouch/status.h"

namespace vouch::mqtt_broker {

/// invalid_argument in words: empty, too long, a wildcard, a NUL, or a topic of the broker itself.
inline Status check_topic(std::string_view topic) {
  constexpr std::size_t kMostBytes = 65'535;
  const auto wrong = [](const char* words) { return Status(StatusCode::invalid_argument, words); };
  if (topic.empty()) return wrong("the topic has no name");
  if (topic.size() > kMostBytes) return wrong("a topic has at most 65535 bytes");
  if (topic.find_first_of("+#") != topic.npos) {
    return wrong("a topic to publish to must not hold the wildcards + and #");
  }
  if (topic.find('\0') != topic.npos) return wrong("a topic must not hold a NUL");
  if (topic.starts_with('$')) return wrong("topics that begin with $ are the broker's own");
  return {};
}

}  // namespace vouch::mqtt_broker
