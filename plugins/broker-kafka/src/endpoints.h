// What clients with these options connect to: the servers of the settings, and those that these
// tell of.
#pragma once

#include <librdkafka/rdkafka.h>

#include <chrono>
#include <vector>

#include "options.h"
#include "vouch/scratch.h"

namespace vouch::kafka {

/// As ServerEndpoints::endpoints. Any thread; blocks for as long as it is allowed to.
Result<std::vector<ServerEndpoint>> endpoints_of(rd_kafka_t* client, const Options& options,
                                                 std::chrono::milliseconds wait);

}  // namespace vouch::kafka
