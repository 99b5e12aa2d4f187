// The descriptor of storage-sqlite: the one symbol that the library exports.
#include "vouch/plugin.h"

#include "options.h"
#include "sqlite_storage.h"

namespace {

vouch::Plugin* create(vouch::HostServices& services, const vouch::Settings& settings) {
  return static_cast<vouch::Storage*>(
      new vouch::sqlite::SqliteStorage(services, vouch::sqlite::options_from(settings)));
}

void destroy(vouch::Plugin* plugin) {
  delete static_cast<vouch::sqlite::SqliteStorage*>(static_cast<vouch::Storage*>(plugin));
}

}  // namespace

VOUCH_PLUGIN(vouch::PluginKind::storage, "storage-sqlite", "0.1.0", "Vouch", "Apache-2.0",
             "Keeps a store in one SQLite file; no server, one host.", vouch::sqlite::kSettings,
             vouch::sqlite::validate_settings, create, destroy)
