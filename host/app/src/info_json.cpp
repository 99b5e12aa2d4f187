#include "info_json.h"

#include <algorithm>
#include <set>

#include "json_object.h"
#include "version.h"
#include "vouch/dead_letter_store.h"

namespace vouch::app {
namespace {

std::string capabilities_json(const StorageCapabilities& storage) {
  return JsonObject()
      .number("max_lanes", storage.max_lanes)
      .boolean("several_hosts", storage.several_hosts)
      .boolean("change_notification", storage.change_notification)
      .boolean("online_schema_change", storage.online_schema_change)
      .number("max_event_bytes", storage.max_event_bytes)
      .str();
}

std::string capabilities_json(const BrokerCapabilities& broker) {
  return JsonObject()
      .boolean("survives_crash", broker.survives_crash)
      .boolean("several_hosts", broker.several_hosts)
      .boolean("headers", broker.headers)
      .boolean("ordered_by_key", broker.ordered_by_key)
      .number("max_message_bytes", broker.max_message_bytes)
      .str();
}

/// Without the file's path: where things lie on the server is nobody's business on the network.
JsonObject plugin_json(const plugins::LoadedPlugin& plugin) {
  JsonObject object;
  object.text("plugin", plugin.descriptor->name).text("version", plugin.descriptor->version);
  return object;
}

std::string array_json(const std::vector<std::string>& texts) {
  std::string out = "[";
  for (const std::string& text : texts) {
    if (out.size() > 1) out += ',';
    format::append_json_string(out, text);
  }
  return out + "]";
}

/// An event as a CloudEvent: bytes become base64, and its attributes are added.
constexpr std::uint64_t kAttributes = 4096;
std::uint64_t largest_message(std::uint64_t event_bytes) {
  return event_bytes + event_bytes / 3 + kAttributes;
}

std::set<std::string> outbound_brokers(const config::Config& config) {
  std::set<std::string> names;
  for (const config::RouteConfig& route : config.outbound) names.insert(route.broker);
  return names;
}

/// The largest event whose message a broker carries.
std::uint64_t largest_event(std::uint64_t message_bytes) {
  return message_bytes > kAttributes ? (message_bytes - kAttributes) / 4 * 3 : 0;
}

}  // namespace

std::uint64_t event_limit(const config::Config& config, Backends& backends) {
  std::uint64_t limit = config.limits.event_bytes;
  for (const std::string& name : outbound_brokers(config)) {
    const std::uint64_t most = backends.broker(name).capabilities().max_message_bytes;
    if (most != 0) limit = std::min(limit, largest_event(most));
  }
  return limit;
}

std::vector<std::string> guarantees(const config::Config& config, Backends& backends) {
  Storage& storage = backends.storage();
  std::vector<std::string> words;
  words.push_back("database: " + storage.guarantees());
  for (const auto& [name, named] : backends.brokers()) {
    words.push_back("broker " + name + ": " + named.broker->guarantees());
  }
  words.emplace_back(
      "What reaches an outbound topic is committed in the database; what is committed reaches its "
      "outbound topics at least once, also when every validation message is lost (the ledger is "
      "swept every " +
      std::to_string(config.delivery.sweep_interval.count()) + " ms).");
  for (const std::string& name : outbound_brokers(config)) {
    const BrokerCapabilities broker = backends.broker(name).capabilities();
    words.push_back(broker.ordered_by_key
                        ? "On the topics of " + name +
                              " the first occurrences of a stream's events come in version order."
                        : "Events are given to " + name +
                              " in version order; it does not promise to keep that order.");
    if (!broker.survives_crash) {
      words.push_back(
          "An event that " + name +
          " acknowledged can be lost if that broker crashes; it stays in the store, and "
          "GET /v1/events still gives it.");
    }
  }
  if (config.outbound.size() > 1) {
    words.emplace_back(
        "An event is delivered when every route that it takes has it; a route whose broker is down "
        "holds up nobody else, and gets what it missed in order.");
  }
  words.emplace_back(
      storage.query(DeadLetterStore::kInterface) != nullptr
          ? "What a broker refuses for good is kept as a dead letter: its stream "
            "waits on that route, everything else goes on."
          : "The storage keeps no dead letters: what a broker refuses for good holds "
            "up its partition.");
  words.emplace_back(storage.capabilities().several_hosts
                         ? "Several hosts may serve this store."
                         : "One host serves this store; a second one is refused.");
  return words;
}

std::vector<std::string> doubts(const config::Config& config, Backends& backends) {
  std::vector<std::string> words;
  const StorageCapabilities storage = backends.storage().capabilities();
  const std::string limit = std::to_string(config.limits.event_bytes);
  if (storage.max_event_bytes != 0 && config.limits.event_bytes > storage.max_event_bytes) {
    words.push_back("limits.event_bytes is " + limit + ", but the database takes " +
                    std::to_string(storage.max_event_bytes) + " at most: larger events get 413");
  }
  for (const std::string& name : outbound_brokers(config)) {
    const BrokerCapabilities broker = backends.broker(name).capabilities();
    if (broker.max_message_bytes != 0 &&
        largest_message(config.limits.event_bytes) > broker.max_message_bytes) {
      std::string& text = words.emplace_back("limits.event_bytes is ");
      text.append(limit)
          .append(", which can make a message of ")
          .append(std::to_string(largest_message(config.limits.event_bytes)))
          .append(" bytes, but broker ")
          .append(name)
          .append(" carries ")
          .append(std::to_string(broker.max_message_bytes))
          .append(" at most: events of more than ")
          .append(std::to_string(event_limit(config, backends)))
          .append(" bytes get 413");
    }
    if (!broker.ordered_by_key) {
      words.push_back("broker " + name +
                      " does not keep the order of a key: consumers must sort by sequence");
    }
  }
  const std::string& validation = config.validation.broker;
  if (storage.several_hosts && !backends.broker(validation).capabilities().several_hosts) {
    words.push_back("broker " + validation +
                    " does not reach other hosts: if several hosts serve this store, events "
                    "appended at one and delivered by another wait for the sweep");
  }
  if (config.outbound.empty()) {
    words.emplace_back("no outbound route: events are stored and never published");
  }
  return words;
}

std::string info_json(const config::Config& config, Backends& backends) {
  JsonObject brokers;
  for (const auto& [name, named] : backends.brokers()) {
    brokers.raw(name, plugin_json(named.plugin)
                          .raw("capabilities", capabilities_json(named.broker->capabilities()))
                          .str());
  }
  return JsonObject()
      .text("version", kVersion)
      .text("store", config.store.name)
      .number("partitions", config.store.partitions)
      .raw("storage", plugin_json(backends.storage_plugin())
                          .raw("capabilities", capabilities_json(backends.storage().capabilities()))
                          .str())
      .raw("brokers", brokers.str())
      .raw("guarantees", array_json(guarantees(config, backends)))
      .str();
}

}  // namespace vouch::app
