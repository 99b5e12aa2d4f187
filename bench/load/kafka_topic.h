// Making a topic of Kafka before something is measured on it.
#pragma once

#include <librdkafka/rdkafka.h>

#include <string>

namespace vouch::bench {

/// Makes the topic with `partitions` where it is missing. Blocks for at most 30 s. Throws
/// std::runtime_error.
void create_topic(rd_kafka_t* client, const std::string& topic, int partitions);

}  // namespace vouch::bench
