// A broker of a frozen ABI: the testkit's of that time.
#include "vouch/plugin.h"
#include "vouch/testkit/memory_broker.h"

namespace {

using vouch::testkit::MemoryBroker;

constexpr vouch::SettingSpec kSettings[] = {{"validation_topic", vouch::SettingType::text,
                                             "vouch.validation", 1, 0, nullptr, vouch::kSettingNone,
                                             "The topic of validation messages.", nullptr}};

vouch::Plugin* create(vouch::HostServices& services, const vouch::Settings& settings) {
  static auto* const faults = new vouch::testkit::Faults();
  static auto* const exchange =
      new vouch::testkit::MemoryExchange(*faults, settings.text("validation_topic"));
  services.logger().info("created", {{"abi", OLD_ABI}});
  return new MemoryBroker(*exchange);
}

void destroy(vouch::Plugin* plugin) {
  delete static_cast<MemoryBroker*>(plugin);
}

}  // namespace

VOUCH_PLUGIN(vouch::PluginKind::broker, OLD_NAME, "1.0.0", "Vouch", "Apache-2.0",
             "Topics in memory; built for an ABI that was released before.", kSettings, nullptr,
             create, destroy)
