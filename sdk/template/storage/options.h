// The settings of storage-journal. Plain values, any thread.
#pragma once

#include <string>

#include "vouch/settings.h"

namespace storage_journal {

struct Options {
  std::string directory;

  /// Throws in words what a host must be told.
  static Options from(const vouch::Settings& settings);
};

inline constexpr vouch::SettingSpec kSettings[] = {
    {"directory", vouch::SettingType::path, nullptr, 1, 0, nullptr, vouch::kSettingRequired,
     "Where the store's one file, the journal, is kept.", "/var/lib/vouch/store"},
};

}  // namespace storage_journal
