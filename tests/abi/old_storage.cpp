// A storage of a frozen ABI: the testkit's of that time, with every optional interface it had. Its
// database lives as long as the process.
#include "vouch/plugin.h"
#include "vouch/testkit/memory_storage.h"

namespace {

using vouch::testkit::MemoryStorage;

constexpr vouch::SettingSpec kSettings[] = {{"lanes", vouch::SettingType::integer, "0", 0, 64,
                                             nullptr, vouch::kSettingNone,
                                             "Most lanes; 0: any number.", nullptr}};

vouch::Plugin* create(vouch::HostServices& services, const vouch::Settings& settings) {
  static auto* const faults = new vouch::testkit::Faults();
  static auto* const database = new vouch::testkit::MemoryDatabase();
  services.logger().info("created", {{"abi", OLD_ABI}});
  vouch::testkit::MemoryStorageOptions options;
  options.max_lanes = static_cast<std::uint32_t>(settings.integer("lanes"));
  return new MemoryStorage(*database, *faults, options);
}

void destroy(vouch::Plugin* plugin) {
  delete static_cast<MemoryStorage*>(plugin);
}

}  // namespace

VOUCH_PLUGIN(vouch::PluginKind::storage, OLD_NAME, "1.0.0", "Vouch", "Apache-2.0",
             "Keeps a store in memory; built for an ABI that was released before.", kSettings,
             nullptr, create, destroy)
