// What is known of plugins: which settings keep a run apart from everything else, and where the
// backend's address stands. The only place that knows plugins by name. Constants.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace vouch::prove {

/// A setting that is set in a scratch configuration. In `value`: {id} of the run, {directory} that
/// is removed afterwards, {host} and {broker} by name; an empty value stays an empty text.
struct SettingRule {
  std::string_view plugin;
  std::string_view key;
  std::string_view value;
};

inline constexpr SettingRule kSettingRules[] = {
    {"storage-sqlite", "path", "{directory}/store.db"},
    {"storage-postgres", "schema", "vouch_prove_{id}"},
    {"storage-mysql", "database", "vouch_prove_{id}"},
    {"broker-local", "tap", "{directory}/{broker}-{host}.jsonl"},
    {"broker-mqtt", "client_id", "vouch-prove-{id}-{host}-{broker}"},
    {"broker-mqtt", "retain", "false"},   // nothing may be left at the broker
    {"broker-mqtt", "status_topic", ""},  // is retained
    {"broker-mqtt", "nudge_topic", ""},   // outside of the run's own topics
    {"broker-kafka", "create_topics", "true"},
    {"broker-kafka", "outbound_partitions", "1"},
};

/// Settings that a trial can't keep.
struct SettingName {
  std::string_view plugin;
  std::string_view key;
};
inline constexpr SettingName kErasedSettings[] = {
    {"broker-local", "tap_topics"},  // names topics of the user's
};

/// How topics are made of parts where it is not '.'.
struct SeparatorRule {
  std::string_view plugin;
  char separator;
};
inline constexpr SeparatorRule kSeparatorRules[] = {{"broker-mqtt", '/'}};

/// The setting that names the file into which a broker without clients of its own writes what it
/// was given, one JSON object a line with "topic" and "payload".
struct TapRule {
  std::string_view plugin;
  std::string_view key;
};
inline constexpr TapRule kTapRules[] = {{"broker-local", "tap"}};

/// How a proxy is put in front of a backend.
enum class AddressForm : std::uint8_t {
  libpq,      ///< parameters behind the URI or the key=value pairs: port and hostaddr, which leaves
              ///< `host`, by which certificates are verified, as it is
  host_port,  ///< settings host and port that override a uri
  url,        ///< host and port inside a uri
  advertised,  ///< the servers tell clients other addresses: no proxy holds, unless the plugin
               ///< tells them (ServerEndpoints)
};
struct AddressRule {
  std::string_view plugin;
  AddressForm form;
  std::uint16_t default_port;
};
inline constexpr AddressRule kAddressRules[] = {
    {"storage-postgres", AddressForm::libpq, 5432},
    {"storage-mysql", AddressForm::host_port, 3306},
    {"broker-mqtt", AddressForm::url, 1883},
    {"broker-kafka", AddressForm::advertised, 9092},
};

}  // namespace vouch::prove
