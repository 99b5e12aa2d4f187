#include "sections.h"

#include <limits>
#include <stdexcept>

namespace vouch::config {
namespace {

constexpr std::int64_t kKiB = 1024;
constexpr std::int64_t kMiB = 1024 * kKiB;
constexpr std::int64_t kGiB = 1024 * kMiB;
constexpr std::int64_t kSecond = 1000;  // ranges of durations count milliseconds
constexpr std::int64_t kMinute = 60 * kSecond;
constexpr std::int64_t kHour = 60 * kMinute;
constexpr std::int64_t kDay = 24 * kHour;

constexpr SettingSpec text(const char* key, const char* by_default, const char* doc,
                           const char* example = nullptr, std::uint32_t flags = kSettingNone) {
  return {key, SettingType::text, by_default, 1, 0, nullptr, flags, doc, example};
}

constexpr SettingSpec whole(const char* key, const char* by_default, std::int64_t min,
                            std::int64_t max, const char* doc) {
  return {key, SettingType::integer, by_default, min, max, nullptr, kSettingNone, doc, nullptr};
}

constexpr SettingSpec size(const char* key, const char* by_default, std::int64_t min,
                           std::int64_t max, const char* doc) {
  return {key, SettingType::size, by_default, min, max, nullptr, kSettingNone, doc, nullptr};
}

constexpr SettingSpec duration(const char* key, const char* by_default, std::int64_t min,
                               std::int64_t max, const char* doc) {
  return {key, SettingType::duration, by_default, min, max, nullptr, kSettingNone, doc, nullptr};
}

constexpr SettingSpec list(const char* key, const char* doc, const char* example) {
  return {key, SettingType::list, "", 1, 0, nullptr, kSettingNone, doc, example};
}

constexpr SettingSpec choice(const char* key, const char* by_default, const char* choices,
                             const char* doc) {
  return {key, SettingType::choice, by_default, 1, 0, choices, kSettingNone, doc, nullptr};
}

constexpr SettingSpec kStore[] = {
    text("name", "default",
         "Name of the store; kept in the database, so that a host with another name refuses to "
         "start. Letters, digits and - _ . only, at most 64.",
         "shop"),
    whole("partitions", "8", 1, 1024,
          "Number of partitions. Fixed when the store is created; a host that says otherwise "
          "refuses to start."),
};

constexpr SettingSpec kPluginUse[] = {
    text("plugin", nullptr, "Name of the plugin, or the path of its .so file.", "storage-sqlite",
         kSettingRequired),
    {"settings", SettingType::map, nullptr, 1, 0, nullptr, kSettingNone,
     "The plugin's own settings, listed below and by `vouch plugins describe NAME`.", nullptr},
};

constexpr SettingSpec kBroker[] = {
    text("plugin", nullptr, "Name of the plugin, or the path of its .so file.", "broker-local",
         kSettingRequired),
    kPluginUse[1],
};

constexpr SettingSpec kValidation[] = {
    text("broker", nullptr,
         "Name of a broker under `brokers`; may be left out when there is only one.", "main"),
    text("topic", "vouch.validation",
         "Topic on which hosts signal each other that events wait for their validation."),
};

constexpr SettingSpec kOutbound[] = {
    text("name", nullptr,
         "Name of the route in reports, metrics and dead letters, which are kept under it: a route "
         "that changes keeps its name. Without it: the broker's name, a slash and the topic.",
         "orders-to-edge"),
    text("broker", nullptr,
         "Name of a broker under `brokers`; may be left out when there is only one.", "main"),
    text("topic", "events.{category}",
         "Topic to publish to; {category}, {stream} and {type} stand for those of the event."),
    list("categories", "Only events of these categories; of all when empty.", "[order, invoice]"),
    list("types", "Only events of these types; of all when empty.", "[OrderPlaced]"),
    choice("format", "structured", "structured|binary",
           "How an event becomes a message. structured: one JSON object with attributes and data; "
           "binary: the data as it is, the attributes as headers, for brokers that have headers."),
};

constexpr SettingSpec kAppend[] = {
    whole("lanes", "4", 1, 64,
          "Writer threads, each with a database session and at most one open transaction."),
    whole("max_group_events", "1000", 1, 100'000, "Events that a lane writes in one transaction."),
    size("max_group_bytes", "1MiB", kKiB, 256 * kMiB,
         "Bytes of events that a lane writes in one transaction."),
    whole("queue", "20000", 1, 10'000'000,
          "Events that may wait for a lane; above that, appends are refused at once."),
    duration("queue_timeout", "15s", 10, 10 * kMinute,
             "How long an append waits for a lane before it is refused, while the database or the "
             "broker holds up all of them."),
    whole("cached_heads", "100000", 0, 100'000'000,
          "Streams whose current version is kept in memory."),
    duration("publish_timeout", "5s", 10, 10 * kMinute,
             "Time for the broker to acknowledge a validation message, before the transaction is "
             "rolled back."),
    duration("resolve_timeout", "10s", 10, 10 * kMinute,
             "Time to learn from the database what became of a commit whose answer was lost."),
    duration("idempotency_wait", "2s", 0, kMinute,
             "Time that a repeated request waits for the first one with its idempotency key."),
};

constexpr SettingSpec kDelivery[] = {
    duration("sweep_interval", "1s", 10, 10 * kMinute,
             "Pause between looks for committed events whose signal was lost."),
    duration("publish_timeout", "10s", 10, 10 * kMinute,
             "Time for the broker to acknowledge an outbound message, before it is repeated."),
    whole("max_round_events", "2000", 1, 100'000,
          "Events of a partition that are published before they are marked as delivered."),
    duration("first_retry", "100ms", 1, 10 * kMinute,
             "Pause before a failed delivery is repeated."),
    duration("max_retry", "5s", 1, kHour, "Longest pause between repetitions; each doubles it."),
    duration("keep", "7d", kSecond, 3650 * kDay,
             "Age at which ledger rows are forgotten, counted from their delivery, and idempotency "
             "keys, counted from their append."),
};

constexpr SettingSpec kHttp[] = {
    text("listen", "127.0.0.1:7070",
         "Address and port. An address in IPv6 stands in brackets; without an address the host "
         "listens on all of them.",
         "\"[::1]:7070\""),
    whole("max_connections", "512", 1, 100'000, "Connections served at a time."),
    whole("max_followers", "1000", 0, 1'000'000, "Clients that may follow the feed at a time."),
    duration("request_timeout", "30s", 10, kHour, "Time to receive a whole request."),
    duration("keep_alive_timeout", "60s", 10, kDay, "Time between two requests of a connection."),
    duration("heartbeat", "15s", 10, kHour, "Pause between signs of life on a quiet feed."),
};

constexpr SettingSpec kLimits[] = {
    size("body_bytes", "8MiB", kKiB, kGiB, "Largest body of a request."),
    size("event_bytes", "1MiB", 1, kGiB, "Largest event: its data and metadata together."),
    whole("events_per_append", "1000", 1, 100'000, "Events in one append."),
    whole("page", "5000", 1, 100'000, "Largest `limit` of a page of events."),
};

constexpr SettingSpec kSnapshots[] = {
    size("queue_bytes", "64MiB", kKiB, 16 * kGiB,
         "Snapshots that may wait to be saved; above that, new ones are dropped."),
};

constexpr SettingSpec kLog[] = {
    {"level", SettingType::choice, "info", 1, 0, "trace|debug|info|warning|error",
     kSettingReloadable, "Least level that is logged; taken over on SIGHUP.", nullptr},
    choice("format", "text", "text|json",
           "Text for people and journald, or one JSON object a line."),
    {"file", SettingType::path, "", 1, 0, nullptr, kSettingNone,
     "File to log to, opened anew on SIGHUP; standard error when empty.", "/var/log/vouch.log"},
};

constexpr SettingSpec kPlugins[] = {
    list("search_path", "Directories in which plugins are looked for, before the built-in ones.",
         "[/opt/vouch/plugins]"),
    duration("call_limit", "60s", 10, kDay,
             "Time after which a plugin's call that has not returned is logged, and shown by "
             "/readyz. Ten times as much for migrating, erasing and purging; a call that is told "
             "to wait gets that time in addition. Longer than the plugins' own time-outs."),
};

constexpr SettingSpec kShutdown[] = {
    duration("timeout", "20s", 0, kHour,
             "Time for running requests and deliveries to finish, before the host stops anyway."),
};

constexpr SectionTable kSections[] = {
    {"store", "Which store this host serves.", false, kStore},
    {"storage", "The database. Required.", false, kPluginUse},
    {"brokers.NAME", "The brokers, each under a name of your choice. At least one is required.",
     false, kBroker},
    {"validation", "Where the hosts of a store signal each other.", false, kValidation},
    {"outbound",
     "Where events go, once they are validated: a list of routes; an event takes each that it "
     "fits. Without this section there is one route, with the defaults below; an empty list "
     "publishes nothing.",
     true, kOutbound},
    {"append", "How events are written.", false, kAppend},
    {"delivery", "How validated events are published.", false, kDelivery},
    {"http", "The HTTP interface.", false, kHttp},
    {"limits", "What a request may ask for.", false, kLimits},
    {"snapshots", "How snapshots are saved in the background.", false, kSnapshots},
    {"log", "What is logged, how and where.", false, kLog},
    {"plugins", "Where plugins are found, and how long their calls may take.", false, kPlugins},
    {"shutdown", "How the host stops.", false, kShutdown},
};

}  // namespace

std::span<const SectionTable> host_sections() {
  return kSections;
}

const SectionTable& section_table(std::string_view path) {
  for (const SectionTable& section : kSections) {
    if (path == section.path) return section;
  }
  throw std::logic_error("there is no section " + std::string(path));
}

}  // namespace vouch::config
