#include "error_words.h"

#include <algorithm>

namespace vouch::kafka {

PublishOutcome outcome_of(rd_kafka_resp_err_t error) {
  switch (error) {
    case RD_KAFKA_RESP_ERR_NO_ERROR:
      return PublishOutcome::acked;
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_INVALID_RECORD:
    case RD_KAFKA_RESP_ERR_POLICY_VIOLATION:
      return PublishOutcome::rejected;
    default:
      // What an operator or time can mend: a missing topic, too few replicas, no connection.
      return PublishOutcome::unknown;
  }
}

Status words_for(rd_kafka_resp_err_t error, const std::string& topic) {
  const std::string said = rd_kafka_err2str(error);
  switch (error) {
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
      return {StatusCode::too_large,
              "the message is larger than topic " + topic + " takes (its max.message.bytes)"};
    case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
      return {StatusCode::invalid_argument, "Kafka does not take the topic name " + topic};
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
      return {StatusCode::permission_denied, "not authorised to write to topic " + topic};
    case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
      return {StatusCode::permission_denied,
              "not authorised to be an idempotent producer (IdempotentWrite)"};
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
      return {StatusCode::unavailable,
              "topic " + topic +
                  " does not exist, and the brokers do not create topics by "
                  "themselves; create it, events wait until then"};
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
      return {StatusCode::unavailable, "topic " + topic + " has too few partitions"};
    case RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS:
    case RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND:
      return {StatusCode::unavailable,
              "topic " + topic + " has fewer replicas in sync than its min.insync.replicas"};
    case RD_KAFKA_RESP_ERR__PURGE_QUEUE:
    case RD_KAFKA_RESP_ERR__PURGE_INFLIGHT:
      return {StatusCode::unavailable, "not sent: the brokers do not answer in time"};
    default:
      return {StatusCode::unavailable, topic + ": " + said};
  }
}

Status check_topic(std::string_view topic) {
  constexpr std::size_t kLongest = 249;
  const auto legal = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  };
  if (!topic.empty() && topic.size() <= kLongest && topic != "." && topic != ".." &&
      std::ranges::all_of(topic, legal)) {
    return {};
  }
  return {StatusCode::invalid_argument,
          "a topic of Kafka has 1 to 249 letters, digits and . _ - (and is not . or ..), but this "
          "one is \"" +
              std::string(topic) + "\""};
}

}  // namespace vouch::kafka
