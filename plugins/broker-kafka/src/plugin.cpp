// The plugin's one exported symbol.
#include "vouch/plugin.h"

#include "kafka_broker.h"
#include "options.h"

namespace {

vouch::Plugin* create(vouch::HostServices& services, const vouch::Settings& settings) {
  return new vouch::kafka::KafkaBroker(vouch::kafka::options_from(settings), services);
}

void destroy(vouch::Plugin* plugin) {
  delete static_cast<vouch::kafka::KafkaBroker*>(plugin);
}

}  // namespace

VOUCH_PLUGIN(vouch::PluginKind::broker, "broker-kafka", "0.1.0", "Vouch", "Apache-2.0",
             "Apache Kafka, and what speaks its protocol.", vouch::kafka::kSettings,
             vouch::kafka::validate_options, create, destroy);
