// The plugin's settings: the table that the host validates and documents, and the values as the
// plugin uses them. Plain values, any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>

#include "vouch/settings.h"

namespace vouch::postgres {

inline constexpr SettingSpec kSettings[] = {
    {"uri", SettingType::text, nullptr, 1, 0, nullptr, kSettingRequired | kSettingSecret,
     "Where the database is, as libpq has it: a postgresql:// URI or key=value pairs, TLS settings "
     "included (sslmode, sslrootcert, …).",
     "postgresql://vouch:${DB_PASSWORD}@db.example:5432/shop?sslmode=verify-full"},
    {"schema", SettingType::text, "vouch", 1, 0, nullptr, kSettingNone,
     "The schema that holds the store's tables; created when it does not exist and the user may "
     "create it. Letters, digits and _, not beginning with a digit.",
     "vouch_shop"},
    {"readers", SettingType::integer, "8", 1, 256, nullptr, kSettingNone,
     "Sessions for reading and for the ledger at most; each lane has one more, and the partitions' "
     "locks and the look at the server's health have one each.",
     "16"},
    {"connect_timeout", SettingType::duration, "5s", 1'000, 600'000, nullptr, kSettingNone,
     "How long to wait for a connection.", "10s"},
    {"statement_timeout", SettingType::duration, "30s", 100, 3'600'000, nullptr, kSettingNone,
     "How long one statement may take before the database ends it; some seconds later its "
     "connection is given up.",
     "1m"},
    {"lock_timeout", SettingType::duration, "2s", 10, 600'000, nullptr, kSettingNone,
     "How long an append waits for another host's open transaction on the same stream before its "
     "group is tried again.",
     "5s"},
    {"idle_transaction_timeout", SettingType::duration, "15s", 1'000, 600'000, nullptr,
     kSettingNone,
     "When the database ends the open transaction of a host that stands still. Longer than "
     "append.publish_timeout.",
     "30s"},
    {"lost_host_timeout", SettingType::duration, "5s", 1'000, 600'000, nullptr, kSettingNone,
     "When the database takes the partitions from a host that stands still or vanished.", "10s"},
};

struct Options {
  /// libpq's connection parameters, by keyword.
  std::map<std::string, std::string> connection;
  std::string schema = "vouch";
  std::uint32_t readers = 8;
  std::chrono::milliseconds connect_timeout{5'000};
  std::chrono::milliseconds statement_timeout{30'000};
  std::chrono::milliseconds lock_timeout{2'000};
  std::chrono::milliseconds idle_transaction_timeout{15'000};
  std::chrono::milliseconds lost_host_timeout{5'000};

  /// "db.example:5432/shop, schema vouch": for messages; never holds a secret.
  [[nodiscard]] std::string place() const;
};

/// Pre: `settings` were checked against kSettings and by validate_settings.
Options options_from(const Settings& settings);

/// The URI's grammar, and what can't be passed on.
void validate_settings(const Settings& settings, SettingProblems& problems);

}  // namespace vouch::postgres
