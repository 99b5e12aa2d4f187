#include "redis_broker.h"

#include <algorithm>

namespace broker_redis {

using vouch::PublishOutcome;
using vouch::Result;
using vouch::Status;
using vouch::StatusCode;

class RedisBroker::RedisSubscription final : public vouch::Subscription {
 public:
  RedisSubscription(Reader& reader, FollowerPtr follower)
      : reader_(reader), follower_(std::move(follower)) {}
  ~RedisSubscription() override { reader_.leave(follower_); }
  void stop() override { reader_.leave(follower_); }

 private:
  Reader& reader_;
  const FollowerPtr follower_;
};

RedisBroker::RedisBroker(Options options, vouch::HostServices& services)
    : options_(std::move(options)),
      services_(services),
      servers_(options_),
      topics_(options_),
      errands_(options_, servers_),
      outbox_(options_.queue_messages, options_.queue_bytes),
      publisher_(options_, servers_, topics_, outbox_, durability_, services),
      reader_(options_, servers_, services) {}

RedisBroker::~RedisBroker() {
  RedisBroker::close();
}

Status RedisBroker::open() {
  if (Status status = servers_.open(); !status.ok()) return status;
  errands_.open();
  outbox_.start();
  publisher_.start();
  reader_.start();
  open_ = true;
  return {};
}

void RedisBroker::close() {
  open_ = false;
  outbox_.stop();
  publisher_.stop();
  reader_.stop();
  errands_.close();
}

vouch::Health RedisBroker::health() {
  if (!open_) return {false, "not open"};
  vouch::Health publishing = publisher_.state().health();
  if (!publishing.ok || !reader_.has_followers()) return publishing;
  vouch::Health reading = reader_.state().health();
  return reading.ok ? publishing : reading;
}

vouch::BrokerCapabilities RedisBroker::capabilities() const {
  vouch::BrokerCapabilities capabilities;
  capabilities.survives_crash = options_.durability == Demand::always;
  capabilities.several_hosts = true;
  capabilities.headers = true;
  capabilities.ordered_by_key = true;
  capabilities.max_message_bytes = options_.max_message_bytes;
  return capabilities;
}

std::string RedisBroker::guarantees() const {
  std::string words = durability_.get().words();
  if (options_.replicas > 0) {
    words += " At least " + std::to_string(options_.replicas) +
             " replicas have it in memory; a failover to another one loses it.";
  }
  return words;
}

Status RedisBroker::ensure(std::span<const vouch::TopicSpec> topics,
                           std::chrono::milliseconds wait) {
  if (!open_) return Status(StatusCode::unavailable, "the broker is not open");
  for (const vouch::TopicSpec& spec : topics) {
    if (spec.name.empty()) return Status(StatusCode::invalid_argument, "a topic has no name");
    if (spec.partitions == 0) {
      return Status(StatusCode::invalid_argument,
                    "a topic has at least one partition: " + spec.name);
    }
  }
  const Deadline deadline = std::chrono::steady_clock::now() + wait;
  const auto give_up = [this] { return services_.stopping() || !open_; };
  Status connected = publisher_.state().wait_connected(deadline, give_up);
  if (!connected.ok()) return connected;
  return errands_.run_until(deadline, give_up, [&](Connection& connection, Deadline by) {
    return ensure_topics(connection, by, topics);
  });
}

Status RedisBroker::ensure_topics(Connection& connection, Deadline deadline,
                                  std::span<const vouch::TopicSpec> topics) {
  const auto found = read_durability(connection, deadline);
  if (!found.ok()) return found.status();
  if (Status status = broker_redis::check(*found, options_.durability); !status.ok()) return status;
  std::vector<std::string> names;
  for (const vouch::TopicSpec& spec : topics) {
    topics_.want(spec.name, std::max(spec.partitions, 1U));
    names.push_back(spec.name);
  }
  if (names.empty()) return {};
  const auto answers = topics_.confirm(connection, names, deadline);
  if (!answers.ok()) return answers.status();
  for (const Topics::Answer& answer : *answers) {
    if (answer.refusal) return answer.refusal->status;
  }
  for (const vouch::TopicSpec& spec : topics) {
    const std::uint32_t count = topics_.known(spec.name).value_or(0);
    if (count >= spec.partitions) continue;
    return Status(StatusCode::failed_precondition,
                  "topic '" + spec.name + "' has " + std::to_string(count) + " partitions, " +
                      std::to_string(spec.partitions) +
                      " are needed: use another topic, or stop its users and HDEL " +
                      topics_.registry_key() + " " + spec.name);
  }
  return {};
}

Status RedisBroker::check(const vouch::Message& message) const {
  if (message.topic.empty()) return Status(StatusCode::invalid_argument, "the topic has no name");
  if (const std::uint64_t bytes = bytes_of(message); bytes > options_.max_message_bytes) {
    return Status(StatusCode::too_large, "the message has " + std::to_string(bytes) +
                                             " bytes, max_message_bytes is " +
                                             std::to_string(options_.max_message_bytes));
  }
  const std::string topic(message.topic);
  const auto count = message.partition ? topics_.known(topic) : std::nullopt;
  if (count && message.partition->value >= *count) {
    return Status(StatusCode::invalid_argument, "topic '" + topic + "' has " +
                                                    std::to_string(*count) +
                                                    " partitions, there is no partition " +
                                                    std::to_string(message.partition->value));
  }
  return {};
}

Status RedisBroker::publish(std::span<const vouch::Message> messages,
                            std::chrono::milliseconds deadline, vouch::PublishSink& sink) {
  if (!open_) return Status(StatusCode::unavailable, "the broker is not open");
  const auto call =
      std::make_shared<Call>(messages, sink, std::chrono::steady_clock::now() + deadline);
  std::vector<Outgoing> outgoing;
  std::vector<std::pair<std::size_t, Status>> refused;
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < messages.size(); ++i) {
    const vouch::Message& message = messages[i];
    if (Status status = check(message); !status.ok()) {
      refused.emplace_back(i, std::move(status));
      continue;
    }
    Outgoing& each = outgoing.emplace_back();
    each.call = call;
    each.index = i;
    each.topic = message.topic;
    if (message.partition) each.partition = message.partition->value;
    each.fields = fields_of(message);
    each.bytes = bytes_of(message);
    bytes += each.bytes;
  }
  if (Status status = outbox_.reserve(outgoing.size(), bytes); !status.ok()) return status;
  // Before the publisher has the call: behind a message that is refused nothing of its key is sent.
  for (const auto& [index, why] : refused) {
    call->batch.decide(index, PublishOutcome::rejected, why);
  }
  if (!outgoing.empty()) outbox_.put(call, std::move(outgoing));
  return {};
}

Result<std::unique_ptr<vouch::Subscription>> RedisBroker::subscribe(std::string_view topic,
                                                                    vouch::Partition partition,
                                                                    vouch::MessageSink& sink) {
  if (!open_) return Status(StatusCode::unavailable, "the broker is not open");
  if (topic.empty()) return Status(StatusCode::invalid_argument, "the topic has no name");
  const auto follower =
      std::make_shared<Follower>(sink, topic, partition, topics_.key_of(topic, partition.value));
  reader_.follow(follower);
  begin_now(follower);
  return std::unique_ptr<vouch::Subscription>(
      std::make_unique<RedisSubscription>(reader_, follower));
}

void RedisBroker::begin_now(const FollowerPtr& follower) {
  // While it is disconnected, the reader finds the place when the connection comes.
  if (!publisher_.state().is_connected()) return;
  const Status status = errands_.run([&](Connection& connection, Deadline deadline) {
    const auto last =
        connection.ask({"XREVRANGE", follower->key, "+", "-", "COUNT", "1"}, deadline);
    if (!last.ok()) return last.status();
    if (is_error(**last)) return refusal_of(text_of(**last), "read " + follower->key).status;
    const auto id = first_id_of(**last);
    reader_.begin_at(follower, id.value_or(EntryId{}));
    // The reader waits in Redis for the streams that it knows of.
    const std::string reader = reader_.client_id();
    if (reader.empty()) return Status();
    return connection.ask({"CLIENT", "UNBLOCK", reader}, deadline).status();
  });
  vouch::ignore_status(status, "the reader meets the same trouble, and says so");
}

Status RedisBroker::remove(std::span<const std::string> topics, std::chrono::milliseconds wait) {
  if (!open_) return Status(StatusCode::unavailable, "the broker is not open");
  for (const std::string& topic : topics) {
    if (vouch::is_scratch_name(topic)) continue;
    return Status(StatusCode::failed_precondition,
                  "topic '" + topic + "' is not named as a trial's: nothing was removed");
  }
  const auto remove_all = [&](Connection& connection, Deadline deadline) {
    for (const std::string& topic : topics) {
      const auto answers = topics_.confirm(connection, {topic}, deadline);
      if (!answers.ok()) return answers.status();
      const std::uint32_t count = topics_.known(topic).value_or(1);
      for (std::uint32_t i = 0; i < count; ++i) connection.add({"DEL", topics_.key_of(topic, i)});
      connection.add({"HDEL", topics_.registry_key(), topic});
      if (Status status = connection.flush(deadline); !status.ok()) return status;
      Status refused;
      for (std::uint32_t i = 0; i <= count; ++i) {
        const auto reply = connection.reply(deadline);
        if (!reply.ok()) return reply.status();
        if (is_error(**reply)) {
          refused = refusal_of(text_of(**reply), "remove topic " + topic).status;
        }
      }
      if (!refused.ok()) return refused;
      topics_.forget(topic);
    }
    return Status();
  };
  return errands_.run_until(
      std::chrono::steady_clock::now() + wait, [this] { return services_.stopping() || !open_; },
      remove_all);
}

Result<std::vector<vouch::ServerEndpoint>> RedisBroker::endpoints(
    std::chrono::milliseconds /*wait*/) {
  std::vector<vouch::ServerEndpoint> all;
  for (const Address& address : options_.addresses) {
    const auto redirect = options_.connect_to.find(address.text());
    const bool direct = redirect == options_.connect_to.end();
    const std::string text = address.text();
    const auto same = [&](const vouch::ServerEndpoint& each) { return each.address == text; };
    if (std::any_of(all.begin(), all.end(), same)) continue;
    all.push_back({text, direct ? text : redirect->second.text()});
  }
  return all;
}

void* RedisBroker::query(std::string_view interface_id) {
  if (interface_id == vouch::ScratchTopics::kInterface) {
    return static_cast<vouch::ScratchTopics*>(this);
  }
  if (interface_id == vouch::ServerEndpoints::kInterface) {
    return static_cast<vouch::ServerEndpoints*>(this);
  }
  return nullptr;
}

}  // namespace broker_redis
