// The plugin's one exported symbol.
#include "vouch/plugin.h"

#include "echo_broker.h"

namespace {

constexpr vouch::SettingSpec kSettings[] = {
    {"queue_messages", vouch::SettingType::integer, "1000", 1, 1'000'000, nullptr,
     vouch::kSettingNone, "Messages that may wait for one subscriber.", nullptr}};

vouch::Plugin* create(vouch::HostServices& services, const vouch::Settings& settings) {
  const auto queue = static_cast<std::size_t>(settings.integer("queue_messages"));
  return new echo::EchoBroker(queue, services);
}

void destroy(vouch::Plugin* plugin) {
  delete static_cast<echo::EchoBroker*>(plugin);
}

}  // namespace

VOUCH_PLUGIN(vouch::PluginKind::broker, "broker-echo", "1.0.0", "Somebody else", "Apache-2.0",
             "Hands every message to who subscribes to it in the same process.", kSettings, nullptr,
             create, destroy);
