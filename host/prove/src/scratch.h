// Scratch: what a run makes for itself: a directory, configurations, a place in the database.
// Removed by `clean_up`, and by the end of the object. One thread.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "plugins/plugin_catalog.h"
#include "prove/prove.h"

namespace vouch::prove {

/// A broker object of the run's own, unproxied.
struct OwnBroker {
  std::string name;
  std::unique_ptr<plugins::GuardedBroker> broker;
  std::set<std::string> topics;  ///< outbound
};

class Scratch {
 public:
  /// References must outlive it.
  Scratch(const ProveOptions& options, plugins::PluginCatalog& catalog,
          config::PluginTables& tables, HostServices& services);
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  /// Reads the user's file, makes the directory and the plugins' objects. Errors in words.
  Status prepare();

  /// The configuration for the host of that name, not written yet.
  Result<config::ConfigDraft> draft_for(const std::string& host) const;
  /// Writes it into the directory. Returns the file.
  Result<std::string> write(const config::ConfigDraft& draft, const std::string& host) const;

  /// Removes what the run made, in the database too. Returns in words what could not be removed.
  std::vector<std::string> clean_up();

  [[nodiscard]] const config::Config& config() const { return *config_; }
  [[nodiscard]] const PluginUses& uses() const { return uses_; }
  [[nodiscard]] const ScratchPlan& plan() const { return plan_; }
  [[nodiscard]] bool made_directory() const { return made_directory_; }
  [[nodiscard]] Storage& storage() { return *storage_; }
  [[nodiscard]] std::vector<OwnBroker>& brokers() { return brokers_; }
  [[nodiscard]] const std::vector<std::pair<std::string, Route>>& routes() const { return routes_; }
  /// Categories of streams to write to, so that each route has something to carry.
  [[nodiscard]] std::vector<std::string> categories() const;
  /// Tells which streams there will be, from which the topics follow.
  void set_streams(const std::vector<std::string>& streams);

 private:
  Status read_users();
  Status make_directory();
  Status make_plugins();
  /// Asks a broker for the addresses that hosts will connect to, if it tells them.
  Status learn_endpoints(const OwnBroker& own);
  /// Makes the place in the database, where the plugin has something to do for it.
  Status make_place();
  /// Whether it can be used as it is set up, before hosts are started that would only say that it
  /// can't, and know its address no better than that of a proxy.
  Status ask_storage();
  void remove_topics(OwnBroker& own, std::vector<std::string>& left);
  void remove_place(std::vector<std::string>& left);

  const ProveOptions& options_;
  plugins::PluginCatalog& catalog_;
  config::PluginTables& tables_;
  HostServices& services_;
  ScratchPlan plan_;
  std::optional<config::ConfigDraft> users_;
  std::optional<config::Config> config_;  ///< the user's
  PluginUses uses_;
  std::vector<std::pair<std::string, Route>> routes_;
  std::unique_ptr<plugins::GuardedStorage> storage_;
  std::vector<OwnBroker> brokers_;
  std::string validation_topic_;
  bool made_directory_ = false;
  bool made_place_ = false;
};

}  // namespace vouch::prove
