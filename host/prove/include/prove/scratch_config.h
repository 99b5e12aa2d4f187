// The configuration of a run's hosts, made of a user's: the same plugins and settings, in a store,
// files and topics of its own. Pure but for the draft that is changed; any thread.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "config/config.h"
#include "config/config_draft.h"
#include "prove/history.h"
#include "vouch/scratch.h"
#include "vouch/settings.h"
#include "vouch/status.h"

namespace vouch::prove {

/// A plugin that the configuration uses.
struct PluginFacts {
  std::string name;  ///< of its descriptor, whatever the file calls it
  std::span<const SettingSpec> settings;
  std::vector<ServerEndpoint> endpoints = {};  ///< of a broker that tells them
  std::string redirects = {};                  ///< the setting that leads elsewhere; or empty
};

/// All plugins of a configuration.
struct PluginUses {
  PluginFacts storage;
  std::map<std::string, PluginFacts> brokers;  ///< by name in the configuration
};

/// "storage.settings.schema=…", from the command line.
struct Override {
  config::ConfigDraft::Path path;
  std::string value;  ///< with the placeholders of scratch_rules.h

  /// Errors: invalid_argument in words.
  static Result<Override> parse(const std::string& text);
};

struct ScratchPlan {
  std::string id;              ///< of this run; lower-case letters and digits
  std::string directory;       ///< absolute; everything in it goes away
  std::string base_directory;  ///< from which the user's file counts relative paths
  std::vector<Override> overrides;

  [[nodiscard]] std::string store() const { return "vouch-prove-" + id; }
};

/// A backend that hosts reach over the network.
struct Link {
  std::string name;  ///< "storage", or of the broker, with the address if it has several
  std::string host;  ///< of the backend
  std::uint16_t port = 0;
  std::string unproxied;  ///< why no proxy can stand in front of it; empty if one can
  /// Where the backend's settings are.
  config::ConfigDraft::Path settings = {};
  /// The setting that holds the address to connect to instead, if there is one for that alone.
  config::ConfigDraft::Path redirect = {};
};

/// The configuration of the host of that name. Errors: failed_precondition in words, if it is not
/// known how to keep the run apart from what is in the user's database.
Result<config::ConfigDraft> scratch_config(const config::ConfigDraft& users,
                                           const config::Config& config, const PluginUses& uses,
                                           const ScratchPlan& plan, const std::string& host);

/// The run's outbound routes by broker, and its validation topic.
std::vector<std::pair<std::string, Route>> scratch_routes(const config::Config& config,
                                                          const PluginUses& uses,
                                                          const ScratchPlan& plan);

/// Backends that are reached over the network, as far as it is known of the plugins.
std::vector<Link> links_of(const config::ConfigDraft& scratch, const PluginUses& uses);

/// Lets a host reach a backend over 127.0.0.1:`port`. Pre: the link is not `unproxied`.
void set_address(config::ConfigDraft& scratch, const PluginUses& uses, const Link& link,
                 std::uint16_t port);

/// The file into which a broker of that host writes what it was given, if it does.
std::optional<std::string> tap_of(const config::ConfigDraft& scratch, const PluginUses& uses,
                                  const std::string& broker);

}  // namespace vouch::prove
