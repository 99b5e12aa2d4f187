// The plugin's one exported symbol.
// [plugin]
#include "vouch/plugin.h"

#include "file_broker.h"
#include "options.h"

namespace {

vouch::Plugin* create(vouch::HostServices& services, const vouch::Settings& settings) {
  return new broker_files::FileBroker(broker_files::Options::from(settings), services);
}

void destroy(vouch::Plugin* plugin) {
  delete static_cast<broker_files::FileBroker*>(plugin);
}

}  // namespace

VOUCH_PLUGIN(vouch::PluginKind::broker, "broker-files", "1.0.0", "You", "Apache-2.0",
             "Keeps topics in append-only files of a directory.", broker_files::kSettings, nullptr,
             create, destroy);
// [plugin]
