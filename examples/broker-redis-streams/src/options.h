// The settings of broker-redis-streams: the table that the host checks, prints and documents, and
// the typed values that the broker reads. Plain values, any thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "address.h"
#include "vouch/settings.h"

namespace broker_redis {

enum class Tls { off, required, verify_ca, verify_identity };

/// What a server must promise of what it acknowledged.
enum class Demand { unchecked, everysec, always };

struct Options {
  std::vector<Address> addresses;
  std::string user;
  std::string password;
  std::string prefix;

  Tls tls = Tls::off;
  std::string tls_ca;
  std::string tls_certificate;
  std::string tls_key;

  std::uint32_t partitions = 1;             ///< of topics that nobody asked for before
  std::uint64_t max_length = 0;             ///< entries kept of a topic; 0: all
  std::uint64_t validation_max_length = 0;  ///< of what goes to a partition by its number; 0: all
  Demand durability = Demand::unchecked;
  std::uint32_t replicas = 0;  ///< that must have a message before it counts as acknowledged

  std::chrono::milliseconds connect_timeout{};
  std::chrono::milliseconds command_timeout{};
  std::chrono::milliseconds keep_alive{};

  std::size_t window = 0;               ///< messages of one transaction
  std::uint64_t max_message_bytes = 0;  ///< key, headers and payload
  std::size_t queue_messages = 0;       ///< that may wait to be sent
  std::uint64_t queue_bytes = 0;
  std::size_t fetch_messages = 0;  ///< of one stream in one read

  std::map<std::string, Address> connect_to;  ///< by Address::text()

  /// Pre: `validate` had no complaints.
  static Options from(const vouch::Settings& settings);
  /// Complains of values that fit the table one by one but make no sense.
  static void validate(const vouch::Settings& settings, vouch::SettingProblems& problems);
};

// clang-format off
inline constexpr vouch::SettingSpec kSettings[] = {
    {"addresses", vouch::SettingType::list, nullptr, 1, 0, nullptr, vouch::kSettingRequired,
     "Where Redis listens, as HOST:PORT. Of several the first that answers and is no replica is used.",
     "[redis-1.internal:6379, redis-2.internal:6379]"},
    {"user", vouch::SettingType::text, nullptr, 1, 0, nullptr, vouch::kSettingNone,
     "The user to log in as; the user `default` if only a password is given.", "vouch"},
    {"password", vouch::SettingType::text, nullptr, 1, 0, nullptr, vouch::kSettingSecret,
     "The user's password.", "${file:/run/secrets/redis_password}"},
    {"prefix", vouch::SettingType::text, "vouch:", 1, 0, nullptr, vouch::kSettingNone,
     "Put in front of the name of every key.", "shop:"},
    {"tls", vouch::SettingType::choice, "off", 1, 0, "off|required|verify_ca|verify_identity",
     vouch::kSettingNone,
     "off: never; required: encrypted, whoever answers; verify_ca, verify_identity: the server must show a "
     "certificate of tls_ca, which must also name the host.", "verify_identity"},
    {"tls_ca", vouch::SettingType::path, nullptr, 1, 0, nullptr, vouch::kSettingNone,
     "Certificates of the authorities that the server's may come from (PEM); those of the system if not given.",
     "/etc/vouch/redis-ca.pem"},
    {"tls_certificate", vouch::SettingType::path, nullptr, 1, 0, nullptr, vouch::kSettingNone,
     "Certificate to show to the server (PEM).", "/etc/vouch/redis-client.pem"},
    {"tls_key", vouch::SettingType::path, nullptr, 1, 0, nullptr, vouch::kSettingNone,
     "Private key of tls_certificate (PEM).", "/etc/vouch/redis-client.key"},
    {"partitions", vouch::SettingType::integer, "1", 1, 1'000, nullptr, vouch::kSettingNone,
     "Partitions of a topic that is made by the first message to it; each is a stream. Fixed from then on.", "8"},
    {"max_length", vouch::SettingType::integer, "0", 0, 1'000'000'000'000, nullptr, vouch::kSettingNone,
     "Entries that each stream of a topic keeps, about (MAXLEN ~); 0 keeps all, until memory ends.", "1000000"},
    {"validation_max_length", vouch::SettingType::integer, "10000", 0, 1'000'000'000'000, nullptr,
     vouch::kSettingNone,
     "The same for streams that are addressed by number: those of the validation topic.", "1000"},
    {"durability", vouch::SettingType::choice, "unchecked", 1, 0, "unchecked|everysec|always",
     vouch::kSettingNone,
     "What Redis must be set to, or the host does not start: always is appendonly with appendfsync always, and no "
     "eviction of streams. Checked by CONFIG GET.", "always"},
    {"replicas", vouch::SettingType::integer, "0", 0, 16, nullptr, vouch::kSettingNone,
     "Replicas that must have a message before it is acknowledged (WAIT).", "1"},
    {"connect_timeout", vouch::SettingType::duration, "5s", 100, 60'000, nullptr, vouch::kSettingNone,
     "How long to wait for a connection, with TLS and login.", "2s"},
    {"command_timeout", vouch::SettingType::duration, "5s", 100, 60'000, nullptr, vouch::kSettingNone,
     "How long to wait for an answer before the connection is given up.", "2s"},
    {"keep_alive", vouch::SettingType::duration, "5s", 100, 600'000, nullptr, vouch::kSettingNone,
     "Pause after which an idle connection is tried by a PING.", "15s"},
    {"window", vouch::SettingType::integer, "1000", 1, 10'000, nullptr, vouch::kSettingAdvanced,
     "Messages that are sent before Redis answered; they are one transaction.", "500"},
    {"max_message_bytes", vouch::SettingType::size, "16MiB", 1'024, std::int64_t{1} << 28, nullptr,
     vouch::kSettingAdvanced, "Largest message (key, headers and payload) that is taken.", "1MiB"},
    {"queue_messages", vouch::SettingType::integer, "10000", 1, 10'000'000, nullptr, vouch::kSettingAdvanced,
     "Messages that may wait to be sent; when more come, they are refused as overloaded.", "50000"},
    {"queue_bytes", vouch::SettingType::size, "64MiB", 1'024, std::int64_t{1} << 36, nullptr,
     vouch::kSettingAdvanced,
     "The same in bytes. Messages of one call are always taken when nothing else waits.", "256MiB"},
    {"fetch_messages", vouch::SettingType::integer, "256", 1, 10'000, nullptr, vouch::kSettingAdvanced,
     "Messages of one stream that are read at once.", "1000"},
    {"connect_to", vouch::SettingType::map, nullptr, 1, 0, nullptr, vouch::kSettingAdvanced,
     "Connect elsewhere than to an address, for tunnels and trials; certificates are still checked against the "
     "address.", "{\"redis-1.internal:6379\": \"127.0.0.1:16379\"}"},
};
// clang-format on

}  // namespace broker_redis
