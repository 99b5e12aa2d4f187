// The plugin's settings: the table that the host validates and documents, and the values as the
// plugin uses them. Plain values, any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>

#include "vouch/settings.h"

namespace vouch::sqlite {

inline constexpr SettingSpec kSettings[] = {
    {"path", SettingType::path, nullptr, 1, 0, nullptr, kSettingRequired,
     "The database file; created when it does not exist, its parent directory too. Keep it on a "
     "local disk.",
     "/var/lib/vouch/shop.db"},
    {"busy_timeout", SettingType::duration, "5s", 0, 600'000, nullptr, kSettingNone,
     "How long to wait for a lock that another program holds on the file before an append is "
     "answered \"try again\".",
     "10s"},
    {"cache_size", SettingType::size, "32MiB", 64 << 10, std::int64_t{64} << 30, nullptr,
     kSettingNone, "Page cache of the writing session; a reading session has a quarter of it.",
     "256MiB"},
    {"wal_autocheckpoint", SettingType::size, "8MiB", 64 << 10, std::int64_t{16} << 30, nullptr,
     kSettingAdvanced,
     "Size of the write-ahead log at which its content is moved into the database file, in the "
     "background. More costs less in all, and makes some commits wait longer.",
     "64MiB"},
    {"mmap_size", SettingType::size, "0", 0, std::int64_t{1} << 40, nullptr, kSettingAdvanced,
     "How much of the file is read through a memory map; 0 reads through the page cache. With a "
     "map, a disk that fails while reading ends the process.",
     "1GiB"},
    {"readers", SettingType::integer, "16", 1, 256, nullptr, kSettingAdvanced,
     "Reading sessions at most; they are opened when first needed.", "32"},
};

struct Options {
  std::string path;  ///< absolute
  std::chrono::milliseconds busy_timeout{5'000};
  std::uint64_t cache_bytes = 32U << 20U;
  std::uint64_t checkpoint_bytes = 8U << 20U;
  std::uint64_t mmap_bytes = 0;
  std::uint32_t readers = 16;
};

/// Pre: `settings` were checked against kSettings.
Options options_from(const Settings& settings);

/// Cross-field rules, and paths that SQLite would not take for a file.
void validate_settings(const Settings& settings, SettingProblems& problems);

}  // namespace vouch::sqlite
