#include "prove/scratch_config.h"

#include <algorithm>
#include <filesystem>

#include "scratch_rules.h"

namespace vouch::prove {
namespace {

namespace fs = std::filesystem;
using config::ConfigDraft;
using Path = ConfigDraft::Path;

std::string expand(std::string_view text, const ScratchPlan& plan, const std::string& host,
                   const std::string& broker) {
  const std::pair<std::string, std::string> known[] = {
      {"{id}", plan.id}, {"{directory}", plan.directory}, {"{host}", host}, {"{broker}", broker}};
  std::string out(text);
  for (const auto& [name, value] : known) {
    for (std::size_t at = out.find(name); at != std::string::npos;
         at = out.find(name, at + value.size())) {
      out.replace(at, name.size(), value);
    }
  }
  return out;
}

std::string absolute(const std::string& path, const std::string& base) {
  if (path.empty() || fs::path(path).is_absolute()) return path;
  return (fs::path(base) / path).lexically_normal().string();
}

void make_absolute(ConfigDraft& draft, const Path& path, const std::string& base) {
  if (const auto text = draft.text(path)) draft.set(path, absolute(*text, base));
}

/// Sets what the rules say of one use of a plugin. Returns how many rules there were.
std::size_t apply_rules(ConfigDraft& draft, const Path& use, const PluginFacts& plugin,
                        const ScratchPlan& plan, const std::string& host,
                        const std::string& broker) {
  Path settings = use;
  settings.emplace_back("settings");
  const auto below = [&](std::string_view key) {
    Path path = settings;
    path.emplace_back(key);
    return path;
  };
  Path name = use;
  name.emplace_back("plugin");
  if (const auto text = draft.text(name); text && text->find('/') != std::string::npos) {
    draft.set(name, absolute(*text, plan.base_directory));
  }
  for (const SettingSpec& spec : plugin.settings) {
    if (spec.type == SettingType::path) make_absolute(draft, below(spec.key), plan.base_directory);
  }
  for (const SettingName& gone : kErasedSettings) {
    if (gone.plugin == plugin.name) draft.erase(below(gone.key));
  }
  std::size_t count = 0;
  for (const SettingRule& rule : kSettingRules) {
    if (rule.plugin != plugin.name) continue;
    draft.set(below(rule.key), expand(rule.value, plan, host, broker));
    ++count;
  }
  return count;
}

bool concerns_storage(const Override& one) {
  return one.path.size() > 2 && one.path[0] == "storage" && one.path[1] == "settings";
}

/// What stands before every topic of the run.
std::string topic_prefix(const PluginUses& uses, const std::string& broker,
                         const ScratchPlan& plan) {
  const auto use = uses.brokers.find(broker);
  for (const SeparatorRule& rule : kSeparatorRules) {
    if (use != uses.brokers.end() && use->second.name == rule.plugin) {
      return plan.store() + rule.separator;
    }
  }
  return plan.store() + '.';
}

void set_up_host(ConfigDraft& draft, const ScratchPlan& plan, const config::Config& config) {
  draft.set({"store", "name"}, plan.store());
  draft.set({"http", "listen"}, "127.0.0.1:0");
  draft.set({"http", "heartbeat"}, "1s");
  draft.set({"log", "format"}, "text");
  draft.set({"log", "level"}, "info");
  draft.erase({"log", "file"});
  draft.set({"shutdown", "timeout"}, "5s");
  std::vector<std::string> search = config.plugins.search_path;
  for (std::string& directory : search) directory = absolute(directory, plan.base_directory);
  if (!search.empty()) draft.set_list({"plugins", "search_path"}, search);
}

}  // namespace

Result<Override> Override::parse(const std::string& text) {
  const auto equals = text.find('=');
  Override one;
  if (equals != std::string::npos) {
    std::string part;
    for (const char c : text.substr(0, equals) + '.') {
      if (c != '.') {
        part += c;
      } else if (!part.empty()) {
        one.path.push_back(std::exchange(part, {}));
      }
    }
    one.value = text.substr(equals + 1);
  }
  const bool storage = concerns_storage(one);
  const bool broker = one.path.size() > 3 && one.path[0] == "brokers" && one.path[2] == "settings";
  if (storage || broker) return one;
  return Status(StatusCode::invalid_argument,
                "--scratch " + text +
                    " is none of storage.settings.KEY=VALUE and brokers.NAME.settings.KEY=VALUE");
}

Result<ConfigDraft> scratch_config(const ConfigDraft& users, const config::Config& config,
                                   const PluginUses& uses, const ScratchPlan& plan,
                                   const std::string& host) {
  ConfigDraft draft = users;
  set_up_host(draft, plan, config);
  const std::size_t known = apply_rules(draft, {"storage"}, uses.storage, plan, host, "storage");
  if (known == 0 && std::ranges::none_of(plan.overrides, concerns_storage)) {
    return Status(
        StatusCode::failed_precondition,
        "it is not known which setting of " + uses.storage.name +
            " keeps a trial store apart from your own; name it: --scratch "
            "storage.settings.KEY=VALUE, where VALUE may hold {id}, {directory} and {host}");
  }
  for (const auto& [name, plugin] : uses.brokers) {
    apply_rules(draft, {"brokers", name}, plugin, plan, host, name);
  }
  for (const Override& one : plan.overrides) {
    const std::string broker = one.path[0] == "brokers" ? one.path[1] : "storage";
    draft.set(one.path, expand(one.value, plan, host, broker));
  }
  draft.set({"validation", "topic"},
            topic_prefix(uses, config.validation.broker, plan) + config.validation.topic);
  const auto routes = scratch_routes(config, uses, plan);
  for (std::size_t i = 0; i < routes.size(); ++i) {
    draft.set({"outbound", std::to_string(i), "topic"}, routes[i].second.topic);
    // The trial's events have a type of their own, which such a route would not take.
    draft.erase({"outbound", std::to_string(i), "types"});
  }
  return draft;
}

std::vector<std::pair<std::string, Route>> scratch_routes(const config::Config& config,
                                                          const PluginUses& uses,
                                                          const ScratchPlan& plan) {
  std::vector<std::pair<std::string, Route>> routes;
  for (const config::RouteConfig& route : config.outbound) {
    routes.emplace_back(route.broker, Route{topic_prefix(uses, route.broker, plan) + route.topic,
                                            route.categories});
  }
  return routes;
}

std::optional<std::string> tap_of(const ConfigDraft& scratch, const PluginUses& uses,
                                  const std::string& broker) {
  const auto use = uses.brokers.find(broker);
  if (use == uses.brokers.end()) return std::nullopt;
  for (const TapRule& rule : kTapRules) {
    if (rule.plugin != use->second.name) continue;
    return scratch.text({"brokers", broker, "settings", std::string(rule.key)});
  }
  return std::nullopt;
}

}  // namespace vouch::prove
