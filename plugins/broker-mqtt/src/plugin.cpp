// The plugin's one exported symbol.
#include "vouch/plugin.h"

#include "mqtt_broker.h"
#include "options.h"

namespace {

vouch::Plugin* create(vouch::HostServices& services, const vouch::Settings& settings) {
  using vouch::mqtt_broker::MqttBroker;
  return new MqttBroker(vouch::mqtt_broker::options_from(settings), services);
}

void destroy(vouch::Plugin* plugin) {
  delete static_cast<vouch::mqtt_broker::MqttBroker*>(plugin);
}

}  // namespace

VOUCH_PLUGIN(vouch::PluginKind::broker, "broker-mqtt", "0.1.0", "Vouch", "Apache-2.0",
             "An MQTT broker such as Mosquitto, version 3.1.1 or 5.", vouch::mqtt_broker::kSettings,
             vouch::mqtt_broker::validate_options, create, destroy);
