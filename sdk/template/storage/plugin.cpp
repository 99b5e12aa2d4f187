// The plugin's one exported symbol.
#include "vouch/plugin.h"

#include "journal_storage.h"
#include "options.h"

namespace {

vouch::Plugin* create(vouch::HostServices& services, const vouch::Settings& settings) {
  return new storage_journal::JournalStorage(storage_journal::Options::from(settings), services);
}

void destroy(vouch::Plugin* plugin) {
  delete static_cast<storage_journal::JournalStorage*>(plugin);
}

}  // namespace

VOUCH_PLUGIN(vouch::PluginKind::storage, "storage-journal", "1.0.0", "You", "Apache-2.0",
             "Keeps events in memory and in one append-only file.", storage_journal::kSettings,
             nullptr, create, destroy);
