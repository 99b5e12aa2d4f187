// Record: a message from `send` to its report, as a producer keeps it and as librdkafka takes it.
#pragma once

#include <librdkafka/rdkafka.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "gates.h"
#include "vouch/messaging/publish_batch.h"

namespace vouch::kafka {

struct Record {
  std::string topic;
  std::int32_t partition;  ///< RD_KAFKA_PARTITION_UA: by the key
  std::string key;
  std::string payload;
  std::vector<std::pair<std::string, std::string>> headers;
  std::shared_ptr<messaging::PublishBatch> batch;
  std::size_t index;
  std::int32_t gate = Gates::kUnknownPartition;  ///< where it entered, or waits
  [[nodiscard]] std::uint64_t bytes() const { return payload.size() + key.size() + topic.size(); }
};

/// The record must outlive the message: payload and key are not copied. `number` is what the report
/// knows it by.
rd_kafka_resp_err_t hand_over(rd_kafka_t* client, std::uint64_t number, const Record& record);

}  // namespace vouch::kafka
