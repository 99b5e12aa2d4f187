#include "trial.h"

#include <algorithm>
#include <optional>

#include "config/config_loader.h"
#include "plugins/descriptor_check.h"
#include "plugins/elf_look.h"
#include "plugins/plugin_library.h"
#include "vouch/broker.h"
#include "vouch/conformance/case.h"
#include "vouch/storage.h"

namespace vouch::conformance {
namespace {

/// The process's environment, and the variables of a case.
class CaseEnvironment final : public config::Environment {
 public:
  CaseEnvironment(const CasePlace& place, CaseUses& uses) : place_(place), uses_(uses) {}

  [[nodiscard]] std::optional<std::string> variable(const std::string& name) const override {
    if (name == "VOUCH_CASE_ID") return used(uses_.id, place_.id);
    if (name == "VOUCH_CASE_DIRECTORY") return used(uses_.directory, place_.directory);
    if (name == "VOUCH_CASE_SERVER" && !place_.server.empty()) {
      return used(uses_.server, place_.server);
    }
    auto value = config::process_environment().variable(name);
    if (!value && name.starts_with("VOUCH_CASE_")) missing_ = name;
    return value;
  }

  /// What to do about a case variable that has no value; empty when there is none.
  [[nodiscard]] std::string hint() const {
    if (missing_.empty()) return {};
    if (missing_ == "VOUCH_CASE_SERVER") {
      return "; ${VOUCH_CASE_SERVER} has a value with --server HOST:PORT";
    }
    return "; the variables of a case are VOUCH_CASE_ID, VOUCH_CASE_DIRECTORY and "
           "VOUCH_CASE_SERVER";
  }

 private:
  static std::string used(bool& flag, const std::string& value) {
    flag = true;
    return value;
  }

  const CasePlace& place_;
  CaseUses& uses_;
  mutable std::string missing_;
};

/// A whole configuration's section was given instead of what stands in it.
bool has_the_heading(const std::vector<config::ConfigProblem>& problems) {
  return std::ranges::any_of(problems, [](const config::ConfigProblem& problem) {
    return problem.path == "settings" || problem.path == "plugin";
  });
}

[[noreturn]] void unusable(const Status& status) {
  throw ConformanceFailure("loaded the plugin as a host does", "a plugin for this host",
                           status.message());
}

const PluginDescriptor* load(const std::string& path) {
  const Result<plugins::DescriptorHead> head = plugins::look_into(path);
  if (!head.ok()) unusable(head.status());
  if (const Status status = plugins::check_head(path, *head); !status.ok()) unusable(status);
  const Result<const PluginDescriptor*> loaded = plugins::load_library(path);
  if (!loaded.ok()) unusable(loaded.status());
  if (const Status status = plugins::check_descriptor(path, **loaded); !status.ok()) {
    unusable(status);
  }
  return *loaded;
}

}  // namespace

std::optional<ServerAddress> ServerAddress::parse(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos || colon == 0 || colon + 1 == text.size()) return std::nullopt;
  std::string host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  const std::string digits = text.substr(colon + 1);
  if (digits.size() > 5 || digits.find_first_not_of("0123456789") != std::string::npos) {
    return std::nullopt;
  }
  const unsigned long port = std::stoul(digits);
  if (host.empty() || port == 0 || port > 65'535) return std::nullopt;
  return ServerAddress{std::move(host), static_cast<std::uint16_t>(port)};
}

std::string ServerAddress::text() const {
  const bool of_six = host.find(':') != std::string::npos;
  return (of_six ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Trial::Trial(const Options& options, CasePlace place)
    : options_(options), place_(std::move(place)), plugin_(load(options.plugin)) {
  if (place_.server.empty() && options.server) place_.server = options.server->text();
}

values::SettingValues Trial::settings(const CasePlace& place) {
  uses_ = {};
  const config::PluginTable plugin{table(), plugin_->validate};
  if (options_.settings.empty()) {
    std::vector<values::SettingProblem> problems;
    values::SettingValues values = values::SettingValues::make(table(), {}, problems);
    if (problems.empty()) return values;
    throw ConformanceFailure(
        "took the settings, of which none are given", "a complete set",
        problems.front().key + ": " + problems.front().message + "; --settings FILE gives them");
  }
  const CaseEnvironment environment(place, uses_);
  config::LoadedSettings loaded =
      config::load_settings_file(options_.settings, plugin, environment);
  if (loaded.values) return *std::move(loaded.values);
  std::string all;
  for (const config::ConfigProblem& problem : loaded.problems) {
    if (!problem.warning) all += (all.empty() ? "" : "; ") + problem.text();
  }
  all += environment.hint();
  if (has_the_heading(loaded.problems)) all += "; the file holds what stands under `settings:`";
  throw ConformanceFailure("took the settings of " + options_.settings, "settings for the plugin",
                           all);
}

std::unique_ptr<proxy::Proxy> Trial::make_proxy() const {
  if (!options_.server) return nullptr;
  auto made =
      proxy::Proxy::start(options_.server->host, options_.server->port, options_.proxy_port);
  if (!made.ok()) {
    throw ConformanceFailure("stood between the plugin and its server", "a proxy",
                             made.status().message());
  }
  return *std::move(made);
}

template <typename T>
T* Made<T>::make(Trial& trial, const Settings& settings) {
  Plugin* const made = trial.plugin().create(trial.services(), settings);
  if (made == nullptr) throw ConformanceFailure("called create", "an object", "null");
  return static_cast<T*>(made);
}

template class Made<Storage>;
template class Made<Broker>;

}  // namespace vouch::conformance
