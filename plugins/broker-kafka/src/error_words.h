// What an error of librdkafka means for a message: refused for good, or maybe another time; and in
// words. Stateless, any thread.
#pragma once

#include <librdkafka/rdkafka.h>

#include <string>

#include "vouch/broker.h"

namespace vouch::kafka {

PublishOutcome outcome_of(rd_kafka_resp_err_t error);
Status words_for(rd_kafka_resp_err_t error, const std::string& topic);

/// invalid_argument in words for a name that Kafka does not take.
Status check_topic(std::string_view topic);

}  // namespace vouch::kafka
