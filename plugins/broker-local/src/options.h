// The settings of broker-local: the table that the host checks and prints, and the typed values
// that the broker reads. Plain values, any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "vouch/settings.h"

namespace vouch::broker_local {

struct Options {
  std::size_t queue_messages = 10'000;         ///< of each subscription
  std::uint64_t max_message_bytes = 16 << 20;  ///< payload and headers
  std::string tap;                             ///< empty: no tap
  std::vector<std::string> tap_topics;         ///< prefixes; none: every topic
  std::uint32_t drop_percent = 0;
  std::vector<std::string> drop_topics;  ///< prefixes

  static Options from(const Settings& settings);
};

/// Complains about settings that make no sense together.
void validate_options(const Settings& settings, SettingProblems& problems);

/// Whether `topic` begins with one of `prefixes`.
bool matches(std::string_view topic, const std::vector<std::string>& prefixes);

inline constexpr SettingSpec kSettings[] = {
    {"queue_messages", SettingType::integer, "10000", 1, 10'000'000, nullptr, kSettingNone,
     "Messages that may wait for one subscriber; when full, newer ones are dropped and the "
     "subscriber is told of a gap.",
     "50000"},
    {"max_message_bytes", SettingType::size, "16MiB", 1024, std::int64_t{1} << 30, nullptr,
     kSettingNone, "Largest message (payload and headers) that is taken.", "1MiB"},
    {"tap", SettingType::path, nullptr, 1, 0, nullptr, kSettingNone,
     "File to which every message is appended as one line of JSON before it is acknowledged.",
     "outbound.jsonl"},
    {"tap_topics", SettingType::list, nullptr, 1, 0, nullptr, kSettingNone,
     "Only topics that begin with one of these texts go to the tap; without it, all do.",
     "[events.]"},
    {"drop_percent", SettingType::integer, "0", 0, 100, nullptr, kSettingAdvanced,
     "For drills: share of the messages on drop_topics that is acknowledged and thrown away, as a "
     "broker that loses acknowledged messages does.",
     "30"},
    {"drop_topics", SettingType::list, nullptr, 1, 0, nullptr, kSettingAdvanced,
     "For drills: drop_percent concerns topics that begin with one of these texts.",
     "[vouch.validation]"},
};

}  // namespace vouch::broker_local
