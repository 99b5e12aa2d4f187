// The settings of broker-files: the table that the host checks, prints and documents, and the typed
// values that the broker reads. Plain values, any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "vouch/settings.h"

namespace broker_files {

struct Options {
  std::string directory;
  std::uint32_t partitions = 1;                ///< of topics that nobody asked for before
  std::uint64_t max_message_bytes = 16 << 20;  ///< key, headers and payload
  std::size_t queue_messages = 10'000;         ///< that may wait to be written

  /// Throws in words what a host must be told; nothing else is checked here, since the table was.
  static Options from(const vouch::Settings& settings);
};

// [settings]
inline constexpr vouch::SettingSpec kSettings[] = {
    {"directory", vouch::SettingType::path, nullptr, 1, 0, nullptr, vouch::kSettingRequired,
     "Where the topics are kept: a directory for each, with a file for each partition.",
     "/var/lib/vouch/topics"},
    {"partitions", vouch::SettingType::integer, "1", 1, 1'000, nullptr, vouch::kSettingNone,
     "Partitions of a topic that is made by the first message to it.", "8"},
    {"max_message_bytes", vouch::SettingType::size, "16MiB", 1'024, std::int64_t{1} << 28, nullptr,
     vouch::kSettingNone, "Largest message (key, headers and payload) that is taken.", "1MiB"},
    {"queue_messages", vouch::SettingType::integer, "10000", 1, 10'000'000, nullptr,
     vouch::kSettingAdvanced,
     "Messages that may wait to be written; when more come, they are refused as overloaded.",
     "50000"},
};
// [settings]

}  // namespace broker_files
