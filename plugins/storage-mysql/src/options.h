// The plugin's settings: the table that the host validates and documents, and the values as the
// plugin uses them. Plain values, any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "vouch/settings.h"

namespace vouch::mysql {

inline constexpr SettingSpec kSettings[] = {
    {"uri", SettingType::text, nullptr, 1, 0, nullptr, kSettingSecret,
     "Where the server is and who to be there: mysql://user:password@host:port/database, with "
     "reserved characters percent-encoded. The keys below override its parts.",
     "mysql://vouch:s3cret@db.internal:3306/shop"},
    {"host", SettingType::text, nullptr, 1, 0, nullptr, kSettingNone,
     "Name or address of the server; 127.0.0.1 if neither this nor uri says another.",
     "db.internal"},
    {"port", SettingType::integer, nullptr, 1, 65'535, nullptr, kSettingNone,
     "The server's port; 3306 if neither this nor uri says another.", "3306"},
    {"socket", SettingType::path, nullptr, 1, 0, nullptr, kSettingNone,
     "The server's Unix socket, instead of host and port.", "/run/mysqld/mysqld.sock"},
    {"user", SettingType::text, nullptr, 1, 0, nullptr, kSettingNone, "The user to log in as.",
     "vouch"},
    {"password", SettingType::text, nullptr, 1, 0, nullptr, kSettingSecret, "The user's password.",
     "${file:/run/secrets/mysql_password}"},
    {"database", SettingType::text, nullptr, 1, 0, nullptr, kSettingNone,
     "The database that holds the store's tables (vouch_…); it must exist.", "shop"},
    {"tls", SettingType::choice, "off", 1, 0, "off|required|verify_ca|verify_identity",
     kSettingNone,
     "off: never; required: encrypted, whoever answers; verify_ca, verify_identity: the server "
     "must show a certificate of tls_ca, which must also name the host.",
     "verify_identity"},
    {"tls_ca", SettingType::path, nullptr, 1, 0, nullptr, kSettingNone,
     "Certificates of the authorities that the server's certificate may come from (PEM).",
     "/etc/vouch/mysql-ca.pem"},
    {"tls_certificate", SettingType::path, nullptr, 1, 0, nullptr, kSettingNone,
     "Certificate to show to the server (PEM).", "/etc/vouch/mysql-client.pem"},
    {"tls_key", SettingType::path, nullptr, 1, 0, nullptr, kSettingNone,
     "Private key of tls_certificate (PEM).", "/etc/vouch/mysql-client.key"},
    {"connect_timeout", SettingType::duration, "5s", 1'000, 60'000, nullptr, kSettingNone,
     "How long to wait for the server to accept a session.", "10s"},
    {"lock_timeout", SettingType::duration, "2s", 1'000, 60'000, nullptr, kSettingNone,
     "How long an append waits for a row that another session's open transaction wrote, before it "
     "is answered \"try again\". Whole seconds.",
     "5s"},
    {"statement_timeout", SettingType::duration, "30s", 1'000, 3'600'000, nullptr, kSettingNone,
     "How long a statement may run before the server ends it. Whole seconds.", "1m"},
    {"idle_transaction_timeout", SettingType::duration, "60s", 2'000, 3'600'000, nullptr,
     kSettingNone,
     "How long a transaction may stay without a statement before the server ends its session: when "
     "a stalled host's transaction becomes definite. Longer than append.publish_timeout. Whole "
     "seconds.",
     "2m"},
    {"lost_host_timeout", SettingType::duration, "10s", 3'000, 600'000, nullptr, kSettingAdvanced,
     "How long the server keeps the partitions of a host that stopped answering. Whole seconds.",
     "30s"},
    {"readers", SettingType::integer, "12", 2, 256, nullptr, kSettingAdvanced,
     "Sessions for everything but appending, at most; they are opened when first needed.", "32"},
};

enum class Tls : std::uint8_t { off, required, verify_ca, verify_identity };

struct Options {
  std::string host = "127.0.0.1";
  std::uint16_t port = 3306;
  std::string socket;  ///< empty: over TCP
  std::string user;
  std::string password;  ///< never in a message
  std::string database;
  Tls tls = Tls::off;
  std::string tls_ca;
  std::string tls_certificate;
  std::string tls_key;
  std::chrono::seconds connect_timeout{5};
  std::chrono::seconds lock_timeout{2};
  std::chrono::seconds statement_timeout{30};
  std::chrono::seconds idle_transaction_timeout{60};
  std::chrono::seconds lost_host_timeout{10};
  std::uint32_t readers = 12;

  /// "database shop on db.internal:3306", for messages.
  [[nodiscard]] std::string place() const;
};

/// Pre: `settings` were checked against kSettings, and `validate_settings` had no complaint.
Options options_from(const Settings& settings);

/// Cross-field rules, and the form of `uri`; never repeats a value that holds the password.
void validate_settings(const Settings& settings, SettingProblems& problems);

}  // namespace vouch::mysql
