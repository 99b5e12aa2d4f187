// TopicAdmin: whether topics exist with enough partitions, and creating them. Blocks for as long as
// it is allowed to. Any thread, one call at a time.
#pragma once

#include <librdkafka/rdkafka.h>

#include <chrono>
#include <span>
#include <string>

#include "options.h"
#include "vouch/broker.h"

namespace vouch::kafka {

class TopicAdmin {
 public:
  /// `client` must not create topics by asking for them.
  TopicAdmin(rd_kafka_t* client, const Options& options) : client_(client), options_(options) {}

  /// As Broker::ensure. `unreachable`: what is known of the connection, for the error.
  Status ensure(std::span<const TopicSpec> topics, std::chrono::milliseconds wait);
  /// As ScratchTopics::remove.
  Status remove(std::span<const std::string> topics, std::chrono::milliseconds wait);

 private:
  using Time = std::chrono::steady_clock::time_point;

  /// How many partitions it has; 0 if it does not exist.
  Result<std::uint32_t> partitions(const std::string& topic, Time until);
  Status create(const TopicSpec& topic, Time until);
  Status ensure_one(const TopicSpec& topic, Time until);

  rd_kafka_t* const client_;
  const Options& options_;
};

}  // namespace vouch::kafka
