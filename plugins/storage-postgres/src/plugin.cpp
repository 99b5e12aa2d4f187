// The descriptor of storage-postgres: the one symbol that the library exports.
#include "vouch/plugin.h"

#include "options.h"
#include "postgres_storage.h"

namespace {

vouch::Plugin* create(vouch::HostServices& services, const vouch::Settings& settings) {
  return static_cast<vouch::Storage*>(
      new vouch::postgres::PostgresStorage(services, vouch::postgres::options_from(settings)));
}

void destroy(vouch::Plugin* plugin) {
  delete static_cast<vouch::postgres::PostgresStorage*>(static_cast<vouch::Storage*>(plugin));
}

}  // namespace

VOUCH_PLUGIN(vouch::PluginKind::storage, "storage-postgres", "0.1.0", "Vouch", "Apache-2.0",
             "Keeps a store in a schema of a PostgreSQL database.", vouch::postgres::kSettings,
             vouch::postgres::validate_settings, create, destroy)
