// From the configuration to what each room takes. Stateless.
#pragma once

#include <vector>

#include "append/append_service.h"
#include "backends.h"
#include "config/config.h"
#include "http/http_server.h"
#include "replay/replay.h"
#include "saga/saga.h"

namespace vouch::app {

append::AppendOptions append_options(const config::Config& config);
saga::SagaOptions saga_options(const config::Config& config);
replay::ReplayOptions replay_options(const config::Config& config);
http::HttpOptions http_options(const config::Config& config);
/// Pre: `backends` are loaded. Errors: invalid_argument for a topic template.
Result<std::vector<saga::Route>> routes(const config::Config& config, Backends& backends);

}  // namespace vouch::app
