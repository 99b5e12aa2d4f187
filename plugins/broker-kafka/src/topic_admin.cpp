#include "topic_admin.h"

#include <algorithm>
#include <array>
#include <memory>
#include <thread>
#include <vector>

#include "error_words.h"
#include "vouch/scratch.h"

namespace vouch::kafka {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

int left(steady_clock::time_point until) {
  const auto time = std::chrono::duration_cast<milliseconds>(until - steady_clock::now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(time, 1, 600'000));
}

}  // namespace

Status TopicAdmin::ensure(std::span<const TopicSpec> topics, milliseconds wait) {
  const Time until = steady_clock::now() + wait;
  for (const TopicSpec& topic : topics) {
    if (Status status = check_topic(topic.name); !status.ok()) return status;
  }
  for (const TopicSpec& topic : topics) {
    if (Status status = ensure_one(topic, until); !status.ok()) return status;
  }
  if (!topics.empty()) return {};
  // Nothing to look for but the brokers themselves.
  const rd_kafka_metadata_t* found = nullptr;
  const rd_kafka_resp_err_t error = rd_kafka_metadata(client_, 0, nullptr, &found, left(until));
  if (found != nullptr) rd_kafka_metadata_destroy(found);
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return {};
  return {StatusCode::unavailable, rd_kafka_err2str(error)};
}

Status TopicAdmin::remove(std::span<const std::string> topics, milliseconds wait) {
  const Time until = steady_clock::now() + wait;
  std::vector<rd_kafka_DeleteTopic_t*> doomed;
  for (const std::string& topic : topics) {
    if (is_scratch_name(topic)) continue;
    return {StatusCode::failed_precondition, "the topic " + topic + " is not one of a trial's"};
  }
  if (topics.empty()) return {};
  for (const std::string& topic : topics) doomed.push_back(rd_kafka_DeleteTopic_new(topic.c_str()));
  const std::unique_ptr<rd_kafka_queue_t, void (*)(rd_kafka_queue_t*)> queue(
      rd_kafka_queue_new(client_), rd_kafka_queue_destroy);
  const std::unique_ptr<rd_kafka_AdminOptions_t, void (*)(rd_kafka_AdminOptions_t*)> how(
      rd_kafka_AdminOptions_new(client_, RD_KAFKA_ADMIN_OP_DELETETOPICS),
      rd_kafka_AdminOptions_destroy);
  std::array<char, 512> said{};
  rd_kafka_AdminOptions_set_request_timeout(how.get(), left(until), said.data(), said.size());
  rd_kafka_DeleteTopics(client_, doomed.data(), doomed.size(), how.get(), queue.get());
  rd_kafka_DeleteTopic_destroy_array(doomed.data(), doomed.size());
  const std::unique_ptr<rd_kafka_event_t, void (*)(rd_kafka_event_t*)> event(
      rd_kafka_queue_poll(queue.get(), left(until)), rd_kafka_event_destroy);
  if (!event) return {StatusCode::unavailable, "delete topics: Kafka does not answer"};
  if (rd_kafka_event_error(event.get()) != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return {StatusCode::unavailable,
            std::string("delete topics: ") + rd_kafka_event_error_string(event.get())};
  }
  std::size_t count = 0;
  const rd_kafka_topic_result_t** results =
      rd_kafka_DeleteTopics_result_topics(rd_kafka_event_DeleteTopics_result(event.get()), &count);
  for (std::size_t i = 0; i < count; ++i) {
    const rd_kafka_resp_err_t error = rd_kafka_topic_result_error(results[i]);
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR || error == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) {
      continue;
    }
    const bool denied = error == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED ||
                        error == RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED;
    return {denied ? StatusCode::permission_denied : StatusCode::unavailable,
            std::string("delete topic ") + rd_kafka_topic_result_name(results[i]) + ": " +
                rd_kafka_err2str(error)};
  }
  return {};
}

Status TopicAdmin::ensure_one(const TopicSpec& topic, Time until) {
  Result<std::uint32_t> found = partitions(topic.name, until);
  if (!found.ok()) return found.status();
  if (*found == 0) {
    if (!options_.create_topics) {
      return {StatusCode::failed_precondition,
              "topic " + topic.name + " does not exist; create it with " +
                  std::to_string(topic.partitions) +
                  " partitions or more, or set create_topics: true"};
    }
    if (Status status = create(topic, until); !status.ok()) return status;
    // The brokers tell each other; until then some say that it is not there.
    do {
      std::this_thread::sleep_for(milliseconds(20));
      found = partitions(topic.name, until);
      if (!found.ok()) return found.status();
    } while (*found == 0 && steady_clock::now() < until);
    if (*found == 0) {
      return {StatusCode::unavailable, "topic " + topic.name + " was created and is not there yet"};
    }
  }
  if (*found >= topic.partitions) return {};
  return {StatusCode::failed_precondition,
          "topic " + topic.name + " has " + std::to_string(*found) + " partitions, and " +
              std::to_string(topic.partitions) +
              " are needed, one for each partition of the store; add some (kafka-topics.sh --alter "
              "--topic " +
              topic.name + " --partitions " + std::to_string(topic.partitions) +
              ") or name another topic"};
}

Result<std::uint32_t> TopicAdmin::partitions(const std::string& topic, Time until) {
  const std::unique_ptr<rd_kafka_topic_t, void (*)(rd_kafka_topic_t*)> handle(
      rd_kafka_topic_new(client_, topic.c_str(), nullptr), rd_kafka_topic_destroy);
  const rd_kafka_metadata_t* raw = nullptr;
  const rd_kafka_resp_err_t error = rd_kafka_metadata(client_, 0, handle.get(), &raw, left(until));
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return Status(StatusCode::unavailable,
                  std::string("Kafka does not answer (") + rd_kafka_err2str(error) + ")");
  }
  const std::unique_ptr<const rd_kafka_metadata_t, void (*)(const rd_kafka_metadata_t*)> found(
      raw, rd_kafka_metadata_destroy);
  for (int i = 0; i < found->topic_cnt; ++i) {
    const rd_kafka_metadata_topic_t& one = found->topics[i];
    if (topic != one.topic) continue;
    if (one.err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) return std::uint32_t{0};
    if (one.err == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED) {
      return Status(StatusCode::permission_denied, "not authorised to see topic " + topic);
    }
    if (one.err != RD_KAFKA_RESP_ERR_NO_ERROR && one.partition_cnt == 0) {
      return Status(StatusCode::unavailable, "topic " + topic + ": " + rd_kafka_err2str(one.err));
    }
    return static_cast<std::uint32_t>(one.partition_cnt);
  }
  return std::uint32_t{0};
}

Status TopicAdmin::create(const TopicSpec& topic, Time until) {
  std::array<char, 512> said{};
  const int wanted = std::max(static_cast<int>(topic.partitions),
                              topic.partitions == 1 ? options_.outbound_partitions : 0);
  rd_kafka_NewTopic_t* fresh = rd_kafka_NewTopic_new(
      topic.name.c_str(), wanted, options_.replication_factor, said.data(), said.size());
  if (fresh == nullptr) return {StatusCode::invalid_argument, said.data()};
  const std::unique_ptr<rd_kafka_NewTopic_t, void (*)(rd_kafka_NewTopic_t*)> owned(
      fresh, rd_kafka_NewTopic_destroy);
  const std::unique_ptr<rd_kafka_queue_t, void (*)(rd_kafka_queue_t*)> queue(
      rd_kafka_queue_new(client_), rd_kafka_queue_destroy);
  const std::unique_ptr<rd_kafka_AdminOptions_t, void (*)(rd_kafka_AdminOptions_t*)> how(
      rd_kafka_AdminOptions_new(client_, RD_KAFKA_ADMIN_OP_CREATETOPICS),
      rd_kafka_AdminOptions_destroy);
  rd_kafka_AdminOptions_set_request_timeout(how.get(), left(until), said.data(), said.size());
  rd_kafka_CreateTopics(client_, &fresh, 1, how.get(), queue.get());
  const std::unique_ptr<rd_kafka_event_t, void (*)(rd_kafka_event_t*)> event(
      rd_kafka_queue_poll(queue.get(), left(until)), rd_kafka_event_destroy);
  const std::string doing = "create topic " + topic.name + ": ";
  if (!event) return {StatusCode::unavailable, doing + "Kafka does not answer"};
  if (const auto error = rd_kafka_event_error(event.get()); error != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return {StatusCode::unavailable, doing + rd_kafka_event_error_string(event.get())};
  }
  std::size_t count = 0;
  const rd_kafka_topic_result_t** results =
      rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event.get()), &count);
  for (std::size_t i = 0; i < count; ++i) {
    const rd_kafka_resp_err_t error = rd_kafka_topic_result_error(results[i]);
    const char* more = rd_kafka_topic_result_error_string(results[i]);
    const std::string words = doing + (more == nullptr ? rd_kafka_err2str(error) : more);
    switch (error) {
      case RD_KAFKA_RESP_ERR_NO_ERROR:
      case RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS:
        break;
      case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
      case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
        return {StatusCode::permission_denied, words};
      case RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR:
        return {StatusCode::failed_precondition, words + "; see replication_factor"};
      default:
        return {StatusCode::unavailable, words};
    }
  }
  return {};
}

}  // namespace vouch::kafka
