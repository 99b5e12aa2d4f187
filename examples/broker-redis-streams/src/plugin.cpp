#include "vouch/plugin.h"

#include "options.h"
#include "redis_broker.h"

namespace {

vouch::Plugin* create(vouch::HostServices& services, const vouch::Settings& settings) {
  return new broker_redis::RedisBroker(broker_redis::Options::from(settings), services);
}

void destroy(vouch::Plugin* plugin) {
  delete static_cast<broker_redis::RedisBroker*>(plugin);
}

}  // namespace

VOUCH_PLUGIN(vouch::PluginKind::broker, "broker-redis-streams", "1.0.0", "The Vouch project",
             "Apache-2.0", "Keeps topics in streams of Redis, and waits for its acknowledgement.",
             broker_redis::kSettings, &broker_redis::Options::validate, create, destroy);
