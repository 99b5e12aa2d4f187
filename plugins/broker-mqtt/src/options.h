// The settings of broker-mqtt: the table that the host checks and prints, and the typed values that
// the broker uses. Plain values, any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "vouch/settings.h"
#include "vouch/status.h"

namespace vouch::mqtt_broker {

inline constexpr SettingSpec kSettings[] = {
    {"uri", SettingType::text, nullptr, 1, 0, nullptr, kSettingRequired,
     "Where the broker is: mqtt://host:1883, or mqtts://host:8883 for TLS (also written tcp:// and "
     "ssl://). The port may be left out.",
     "mqtts://mosquitto.internal"},
    {"protocol", SettingType::choice, "5", 1, 0, "5|3.1.1", kSettingNone,
     "Version of MQTT. 5 tells why a message is refused and carries headers; with 3.1.1 many "
     "brokers acknowledge what they refuse.",
     "3.1.1"},
    {"client_id", SettingType::text, nullptr, 1, 0, nullptr, kSettingNone,
     "Name of this host at the broker, the same after a restart and different on every host; "
     "vouch- and the machine's name if not given. Its two connections add -pub and -sub.",
     "vouch-a"},
    {"user", SettingType::text, nullptr, 1, 0, nullptr, kSettingNone, "The user to log in as.",
     "vouch"},
    {"password", SettingType::text, nullptr, 1, 0, nullptr, kSettingSecret, "The user's password.",
     "${file:/run/secrets/mqtt_password}"},
    {"tls_ca", SettingType::path, nullptr, 1, 0, nullptr, kSettingNone,
     "Certificates of the authorities that the broker's certificate may come from (PEM); those of "
     "the system if not given.",
     "/etc/vouch/mqtt-ca.pem"},
    {"tls_certificate", SettingType::path, nullptr, 1, 0, nullptr, kSettingNone,
     "Certificate to show to the broker (PEM).", "/etc/vouch/mqtt-client.pem"},
    {"tls_key", SettingType::path, nullptr, 1, 0, nullptr, kSettingNone,
     "Private key of tls_certificate (PEM).", "/etc/vouch/mqtt-client.key"},
    {"tls_verify", SettingType::boolean, "true", 1, 0, nullptr, kSettingNone,
     "Whether the broker's certificate must be good and name the host.", "false"},
    {"window", SettingType::integer, "50", 1, 1'000, nullptr, kSettingNone,
     "Messages that are sent before the first of them is acknowledged; never more than the broker "
     "allows (MQTT 5: Receive Maximum).",
     "20"},
    {"buffer", SettingType::integer, "20000", 100, 1'000'000, nullptr, kSettingAdvanced,
     "Messages that may wait to be acknowledged; when full, a publish is refused.", "50000"},
    {"buffer_bytes", SettingType::size, "64MiB", 1 << 20, std::int64_t{4} << 30, nullptr,
     kSettingAdvanced, "Bytes of messages that may wait to be acknowledged.", "256MiB"},
    {"max_message_bytes", SettingType::size, "16MiB", 1024, 268'435'455, nullptr, kSettingNone,
     "Largest message that is sent; larger ones are refused. The broker's own limit counts as well "
     "where it tells it (MQTT 5).",
     "1MiB"},
    {"retain", SettingType::boolean, "false", 1, 0, nullptr, kSettingNone,
     "Whether outbound messages are retained: the broker keeps the last one of each topic for "
     "those "
     "who subscribe later.",
     "true"},
    {"status_topic", SettingType::text, nullptr, 1, 0, nullptr, kSettingNone,
     "Topic of a retained message that says online or offline, also when the host dies (last "
     "will); vouch/status/ and the client id if not given, none when empty.",
     "plant/vouch/status"},
    {"nudge_topic", SettingType::text, nullptr, 1, 0, nullptr, kSettingAdvanced,
     "Topic of empty messages (QoS 0) that wake the client library when an acknowledgement is "
     "late; "
     "vouch/nudge/ and the client id if not given, none when empty.",
     "vouch/nudge"},
    {"keep_alive", SettingType::duration, "10s", 1'000, 3'600'000, nullptr, kSettingNone,
     "Pause after which a silent connection is tested. Whole seconds.", "30s"},
    {"connect_timeout", SettingType::duration, "5s", 1'000, 60'000, nullptr, kSettingNone,
     "Time for a connection to be accepted. Whole seconds.", "10s"},
    {"queue_messages", SettingType::integer, "10000", 1, 10'000'000, nullptr, kSettingAdvanced,
     "Messages that may wait for one subscriber; when full, newer ones are dropped and the "
     "subscriber is told of a gap.",
     "50000"},
    {"survives_crash", SettingType::boolean, "false", 1, 0, nullptr, kSettingAdvanced,
     "Says that this broker has an acknowledged message on disk before it acknowledges it. "
     "Mosquitto does not.",
     "true"},
};

struct Options {
  std::string uri;   ///< as Paho wants it: tcp://host:port or ssl://host:port
  std::string host;  ///< host:port, for people
  bool tls = false;
  bool version5 = true;
  std::string client_id;
  std::string user;
  std::string password;  ///< never in a message
  std::string tls_ca;
  std::string tls_certificate;
  std::string tls_key;
  bool tls_verify = true;
  std::size_t window = 50;
  std::size_t buffer = 20'000;
  std::uint64_t buffer_bytes = 64U << 20U;
  std::uint64_t max_message_bytes = 16U << 20U;
  bool retain = false;
  std::string status_topic;
  std::string nudge_topic;
  std::chrono::seconds keep_alive{10};
  std::chrono::seconds connect_timeout{5};
  std::size_t queue_messages = 10'000;
  bool survives_crash = false;
};

/// Pre: `settings` were checked against kSettings, and `validate_options` had no complaint.
Options options_from(const Settings& settings);

/// Cross-field rules and the form of `uri`; never repeats a value that may hold a password.
void validate_options(const Settings& settings, SettingProblems& problems);

}  // namespace vouch::mqtt_broker
