// The settings of broker-kafka: the table that the host checks and prints, and the typed values
// that the broker uses. Plain values, any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "redirects.h"
#include "vouch/settings.h"

namespace vouch::kafka {

inline constexpr SettingSpec kSettings[] = {
    {"bootstrap_servers", SettingType::list, nullptr, 1, 0, nullptr, kSettingRequired,
     "Brokers to ask for the others, as host:port; 9092 without a port.",
     "[kafka-1:9092, kafka-2:9092]"},
    {"client_id", SettingType::text, nullptr, 1, 0, nullptr, kSettingNone,
     "Name of this host in the logs and quotas of the brokers; vouch- and the machine's name if "
     "not "
     "given.",
     "vouch-a"},
    {"security_protocol", SettingType::choice, "plaintext", 1, 0,
     "plaintext|ssl|sasl_plaintext|sasl_ssl", kSettingNone,
     "How to connect: with TLS (ssl), with a login (sasl), or both.", "sasl_ssl"},
    {"sasl_mechanism", SettingType::text, nullptr, 1, 0, nullptr, kSettingNone,
     "How to log in: PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER, GSSAPI.", "SCRAM-SHA-512"},
    {"sasl_username", SettingType::text, nullptr, 1, 0, nullptr, kSettingNone,
     "The user to log in as.", "vouch"},
    {"sasl_password", SettingType::text, nullptr, 1, 0, nullptr, kSettingSecret,
     "The user's password.", "${file:/run/secrets/kafka_password}"},
    {"ssl_ca", SettingType::path, nullptr, 1, 0, nullptr, kSettingNone,
     "Certificates of the authorities that the brokers' certificates may come from (PEM); those of "
     "the system if not given.",
     "/etc/vouch/kafka-ca.pem"},
    {"ssl_certificate", SettingType::path, nullptr, 1, 0, nullptr, kSettingNone,
     "Certificate to show to the brokers (PEM).", "/etc/vouch/kafka-client.pem"},
    {"ssl_key", SettingType::path, nullptr, 1, 0, nullptr, kSettingNone,
     "Private key of ssl_certificate (PEM).", "/etc/vouch/kafka-client.key"},
    {"create_topics", SettingType::boolean, "true", 1, 0, nullptr, kSettingNone,
     "Whether to create the validation topic, and outbound topics without placeholders, when they "
     "are missing.",
     "false"},
    {"outbound_partitions", SettingType::integer, "6", 1, 10'000, nullptr, kSettingNone,
     "Partitions of an outbound topic that is created here.", "24"},
    {"replication_factor", SettingType::integer, "-1", -1, 100, nullptr, kSettingNone,
     "Replicas of a topic that is created here; -1: as the brokers have it by default.", "3"},
    {"linger", SettingType::duration, "0ms", 0, 1'000, nullptr, kSettingNone,
     "How long an outbound message waits for others to share a request with.", "5ms"},
    {"validation_linger", SettingType::duration, "0ms", 0, 1'000, nullptr, kSettingAdvanced,
     "The same for validation messages, for which an open transaction waits.", "1ms"},
    {"compression", SettingType::choice, "lz4", 1, 0, "none|gzip|snappy|lz4|zstd", kSettingNone,
     "How outbound messages are compressed.", "zstd"},
    {"max_message_bytes", SettingType::size, "1000000", 1'000, 1'000'000'000, nullptr, kSettingNone,
     "Largest message that is sent; larger ones are refused. Not above the max.message.bytes of "
     "the "
     "topics.",
     "8MiB"},
    {"buffer", SettingType::integer, "20000", 100, 1'000'000, nullptr, kSettingAdvanced,
     "Messages that may wait to be acknowledged; when full, a publish is refused.", "50000"},
    {"buffer_bytes", SettingType::size, "64MiB", 1 << 20, std::int64_t{4} << 30, nullptr,
     kSettingAdvanced, "Bytes of messages that may wait to be acknowledged.", "256MiB"},
    {"statistics_interval", SettingType::duration, "1s", 100, 3'600'000, nullptr, kSettingAdvanced,
     "How often the client library tells its state for metrics and health.", "5s"},
    {"properties", SettingType::map, nullptr, 1, 0, nullptr, kSettingNone,
     "Further properties of librdkafka, for all its clients; those that would break the promise "
     "are "
     "refused.",
     "{ socket.keepalive.enable: \"true\", client.rack: \"a\" }"},
    {"connect_to", SettingType::map, nullptr, 1, 0, nullptr, kSettingAdvanced,
     "Brokers that are reached at another address than the one they tell, such as the end of a "
     "tunnel: broker as host:port, and where to connect instead. Certificates must still name the "
     "broker.",
     "{ \"kafka-1:9092\": \"localhost:19092\" }"},
};

struct Options {
  std::string bootstrap_servers;
  std::string client_id;
  std::string security_protocol;
  std::string sasl_mechanism;
  std::string sasl_username;
  std::string sasl_password;  ///< never in a message
  std::string ssl_ca;
  std::string ssl_certificate;
  std::string ssl_key;
  bool create_topics = true;
  int outbound_partitions = 6;
  int replication_factor = -1;
  std::chrono::microseconds linger{0};
  std::chrono::microseconds validation_linger{0};
  std::string compression = "lz4";
  std::uint64_t max_message_bytes = 1'000'000;
  std::size_t buffer = 20'000;
  std::uint64_t buffer_bytes = 64U << 20U;
  std::chrono::milliseconds statistics_interval{1'000};
  std::vector<std::pair<std::string, std::string>> properties;
  Redirects redirects;
};

/// Pre: `settings` were checked against kSettings.
Options options_from(const Settings& settings);

/// Cross-field rules, and which `properties` librdkafka knows and the promise allows.
void validate_options(const Settings& settings, SettingProblems& problems);

}  // namespace vouch::kafka
