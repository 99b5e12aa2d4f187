// The descriptor of storage-mysql: the one symbol that the library exports.
#include "vouch/plugin.h"

#include "mysql_storage.h"
#include "options.h"

namespace {

vouch::Plugin* create(vouch::HostServices& services, const vouch::Settings& settings) {
  return static_cast<vouch::Storage*>(
      new vouch::mysql::MysqlStorage(services, vouch::mysql::options_from(settings)));
}

void destroy(vouch::Plugin* plugin) {
  delete static_cast<vouch::mysql::MysqlStorage*>(static_cast<vouch::Storage*>(plugin));
}

}  // namespace

VOUCH_PLUGIN(vouch::PluginKind::storage, "storage-mysql", "0.1.0", "Vouch", "Apache-2.0",
             "Keeps a store in a database of MariaDB or MySQL; any number of hosts.",
             vouch::mysql::kSettings, vouch::mysql::validate_settings, create, destroy)
