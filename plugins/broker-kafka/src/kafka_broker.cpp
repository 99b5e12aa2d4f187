#include "kafka_broker.h"

#include <array>
#include <utility>
#include <vector>

#include "endpoints.h"
#include "error_words.h"
#include "topic_admin.h"

namespace vouch::kafka {
namespace {

using std::chrono::steady_clock;

/// Of a record beside key, value and headers, at most (KIP-98: lengths, time stamp, offset).
constexpr std::uint64_t kRecordOverhead = 512;

std::uint64_t size_of(const Message& message) {
  std::uint64_t bytes = message.payload.size() + message.key.size() + kRecordOverhead;
  for (const Header& header : message.headers) {
    bytes += header.name.size() + header.value.size() + 8;
  }
  return bytes;
}

}  // namespace

KafkaBroker::KafkaBroker(Options options, HostServices& services)
    : options_(std::move(options)),
      outage_(options_.bootstrap_servers, services),
      consumer_(options_, outage_, services),
      validation_(options_, ClientKind::validation, outage_, services, [](const std::string&) {}),
      outbound_(options_, ClientKind::outbound, outage_, services,
                [this](const std::string& topic) {
                  const std::lock_guard lock(mutex_);
                  alone_.insert(topic);
                }),
      single_(options_, ClientKind::single, outage_, services, [](const std::string&) {}) {}

KafkaBroker::~KafkaBroker() {
  KafkaBroker::close();
}

Status KafkaBroker::open() {
  if (Status status = consumer_.start(); !status.ok()) return status;
  if (Status status = validation_.start(); !status.ok()) return status;
  if (Status status = outbound_.start(); !status.ok()) return status;
  open_ = true;
  return single_.start();
}

void KafkaBroker::close() {
  open_ = false;
  single_.stop();
  outbound_.stop();
  validation_.stop();
  consumer_.stop();
}

Health KafkaBroker::health() {
  if (!open_) return {false, "not open"};
  // A client that had nothing to do yet says nothing.
  const LinkState* up = nullptr;
  for (const LinkState* link : {&validation_.link(), &outbound_.link(), &consumer_.link()}) {
    if (link->link() == LinkState::Link::down) return link->health();
    if (link->link() == LinkState::Link::up) up = link;
  }
  return (up == nullptr ? consumer_.link() : *up).health();
}

BrokerCapabilities KafkaBroker::capabilities() const {
  BrokerCapabilities capabilities;
  capabilities.survives_crash = true;
  capabilities.several_hosts = true;
  capabilities.headers = true;
  capabilities.ordered_by_key = true;
  capabilities.max_message_bytes = options_.max_message_bytes;
  return capabilities;
}

std::string KafkaBroker::guarantees() const {
  return "acks=all: an acknowledged message is with every replica in sync; how many those are is "
         "said by the topic's replication factor and min.insync.replicas (3 and 2 survive the loss "
         "of a machine). A single broker keeps it through the death of its process, not of its "
         "machine.";
}

Status KafkaBroker::ensure(std::span<const TopicSpec> topics, std::chrono::milliseconds wait) {
  if (!open_) return {StatusCode::unavailable, "not open"};
  const std::lock_guard one(admin_);
  Status status = TopicAdmin(consumer_.client(), options_).ensure(topics, wait);
  if (status.ok()) {
    consumer_.works();
    for (const TopicSpec& topic : topics) {
      validation_.learn(topic.name);
      outbound_.learn(topic.name);
    }
  } else if (status.code() == StatusCode::unavailable && !health().ok) {
    return {StatusCode::unavailable, health().detail};
  }
  return status;
}

Status KafkaBroker::refused(const Message& message) const {
  if (const std::uint64_t bytes = size_of(message); bytes > options_.max_message_bytes) {
    return {StatusCode::too_large, "the message has " + std::to_string(bytes) +
                                       " bytes, max_message_bytes is " +
                                       std::to_string(options_.max_message_bytes)};
  }
  return check_topic(message.topic);
}

bool KafkaBroker::goes_alone(std::string_view topic) const {
  const std::lock_guard lock(mutex_);
  return !alone_.empty() && alone_.contains(topic);
}

Status KafkaBroker::publish(std::span<const Message> messages, std::chrono::milliseconds deadline,
                            PublishSink& sink) {
  if (!open_) return {StatusCode::unavailable, "the connection to Kafka is closed"};
  if (messages.empty()) return {};
  struct Part {
    Producer& producer;
    std::vector<std::size_t> places;
    std::uint64_t bytes = 0;
  };
  std::array<Part, 3> parts{Part{validation_, {}}, Part{outbound_, {}}, Part{single_, {}}};
  std::vector<std::pair<std::size_t, Status>> wrong;
  for (std::size_t i = 0; i < messages.size(); ++i) {
    if (Status status = refused(messages[i]); !status.ok()) {
      wrong.emplace_back(i, std::move(status));
      continue;
    }
    Part& part = messages[i].partition ? parts[0] : parts[goes_alone(messages[i].topic) ? 2 : 1];
    part.places.push_back(i);
    part.bytes += messages[i].payload.size();
  }
  for (const Part& part : parts) {
    if (part.places.empty() || part.producer.has_room(part.places.size(), part.bytes)) continue;
    return {StatusCode::overloaded, "the buffer is full: too many messages wait for Kafka"};
  }
  const auto batch = std::make_shared<messaging::PublishBatch>(messages, sink);
  const auto until = steady_clock::now() + deadline;
  for (const auto& [index, why] : wrong) batch->decide(index, PublishOutcome::rejected, why);
  for (Part& part : parts) {
    // What is behind a refused message of its key would not count.
    std::erase_if(part.places, [&](std::size_t place) { return !batch->wanted(place); });
    if (part.places.empty()) continue;
    const Status sent = part.producer.send(messages, part.places, batch, until);
    if (sent.ok()) continue;
    for (const std::size_t place : part.places) {
      batch->decide(place, PublishOutcome::unknown, sent);
    }
  }
  return {};
}

Result<std::unique_ptr<Subscription>> KafkaBroker::subscribe(std::string_view topic,
                                                             Partition partition,
                                                             MessageSink& sink) {
  return consumer_.subscribe(topic, partition, sink);
}

Status KafkaBroker::remove(std::span<const std::string> topics, std::chrono::milliseconds wait) {
  if (!open_) return {StatusCode::unavailable, "not open"};
  const std::lock_guard one(admin_);
  return TopicAdmin(consumer_.client(), options_).remove(topics, wait);
}

Result<std::vector<ServerEndpoint>> KafkaBroker::endpoints(std::chrono::milliseconds wait) {
  if (!open_) return Status(StatusCode::unavailable, "not open");
  auto found = endpoints_of(consumer_.client(), options_, wait);
  if (!found.ok() && found.status().code() == StatusCode::unavailable && !health().ok) {
    return Status(StatusCode::unavailable, health().detail);
  }
  return found;
}

void* KafkaBroker::query(std::string_view interface_id) {
  if (interface_id == ScratchTopics::kInterface) return static_cast<ScratchTopics*>(this);
  if (interface_id == ServerEndpoints::kInterface) return static_cast<ServerEndpoints*>(this);
  return nullptr;
}

}  // namespace vouch::kafka
