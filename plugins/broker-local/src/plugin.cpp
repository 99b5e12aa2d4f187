// The plugin's one exported symbol.
#include "vouch/plugin.h"

#include "local_broker.h"
#include "options.h"

namespace {

vouch::Plugin* create(vouch::HostServices& services, const vouch::Settings& settings) {
  using vouch::broker_local::LocalBroker;
  using vouch::broker_local::Options;
  return new LocalBroker(Options::from(settings), services);
}

void destroy(vouch::Plugin* plugin) {
  delete static_cast<vouch::broker_local::LocalBroker*>(plugin);
}

}  // namespace

VOUCH_PLUGIN(vouch::PluginKind::broker, "broker-local", "0.1.0", "Vouch", "Apache-2.0",
             "Topics inside the host's own process, for one host and for trying things out.",
             vouch::broker_local::kSettings, vouch::broker_local::validate_options, create,
             destroy);
