#include "file_broker.h"

#include "record.h"

namespace broker_files {

using vouch::PublishOutcome;
using vouch::Result;
using vouch::Status;
using vouch::StatusCode;

class FileBroker::FileSubscription final : public vouch::Subscription {
 public:
  FileSubscription(Tailer& tailer, std::shared_ptr<Follower> follower)
      : tailer_(tailer), follower_(std::move(follower)) {}
  ~FileSubscription() override { tailer_.leave(follower_); }
  void stop() override { tailer_.leave(follower_); }

 private:
  Tailer& tailer_;
  const std::shared_ptr<Follower> follower_;
};

FileBroker::FileBroker(Options options, vouch::HostServices& services)
    : options_(std::move(options)),
      topics_(options_.directory),
      tailer_(services),
      writer_(options_.queue_messages) {}

FileBroker::~FileBroker() {
  FileBroker::close();
}

// [open]
Status FileBroker::open() {
  if (Status status = topics_.open(); !status.ok()) return status;
  if (Status status = tailer_.start(); !status.ok()) return status;
  writer_.start();
  open_ = true;
  return {};
}

void FileBroker::close() {
  open_ = false;
  writer_.stop();
  tailer_.stop();
}
// [open]

vouch::Health FileBroker::health() {
  if (!open_) return {false, "not open"};
  if (Status status = topics_.check(); !status.ok()) return {false, status.message()};
  return {true, "topics in " + options_.directory};
}

// [capabilities]
vouch::BrokerCapabilities FileBroker::capabilities() const {
  vouch::BrokerCapabilities capabilities;
  capabilities.survives_crash = true;
  capabilities.several_hosts = true;
  capabilities.headers = true;
  capabilities.ordered_by_key = true;
  capabilities.max_message_bytes = options_.max_message_bytes;
  return capabilities;
}

std::string FileBroker::guarantees() const {
  return "An acknowledged message is on the disk of this machine: it survives a crash of the "
         "process "
         "and a power cut, not the loss of the disk. Processes of this machine read it.";
}
// [capabilities]

Status FileBroker::ensure(std::span<const vouch::TopicSpec> topics,
                          std::chrono::milliseconds /*wait*/) {
  for (const vouch::TopicSpec& spec : topics) {
    if (spec.partitions == 0) {
      return Status(StatusCode::invalid_argument,
                    "a topic has at least one partition: " + spec.name);
    }
    const Result<std::uint32_t> count = topics_.partitions(spec.name, spec.partitions);
    if (!count.ok()) return count.status();
    if (*count < spec.partitions) {
      return Status(StatusCode::failed_precondition,
                    "topic '" + spec.name + "' has " + std::to_string(*count) + " partitions, " +
                        std::to_string(spec.partitions) +
                        " are needed; stop its users and remove it, or use another topic");
    }
  }
  return {};
}

// [publish]
Status FileBroker::publish(std::span<const vouch::Message> messages,
                           std::chrono::milliseconds deadline, vouch::PublishSink& sink) {
  if (!open_) return Status(StatusCode::unavailable, "the broker is not open");
  const auto call = std::make_shared<Call>(messages, sink);
  call->deadline = std::chrono::steady_clock::now() + deadline;
  std::vector<std::pair<std::size_t, Status>> refused;
  for (std::size_t i = 0; i < messages.size(); ++i) {
    Result<std::string> path = file_of(messages[i]);
    if (!path.ok()) {
      refused.emplace_back(i, path.status());
      continue;
    }
    Call::Entry& entry = call->entries.emplace_back(Call::Entry{i, *std::move(path), {}});
    append_record(entry.record, messages[i]);
  }
  if (Status status = writer_.reserve(call->entries.size()); !status.ok()) return status;
  // Before the writer has the call: behind a message that is refused, nothing of its key is
  // written.
  for (const auto& [index, why] : refused) {
    const bool for_good = why.code() != StatusCode::unavailable;
    call->batch.decide(index, for_good ? PublishOutcome::rejected : PublishOutcome::unknown, why);
  }
  if (!call->entries.empty()) writer_.put(call);
  return {};
}
// [publish]

Result<std::string> FileBroker::file_of(const vouch::Message& message) {
  if (const std::uint64_t bytes = bytes_of(message); bytes > options_.max_message_bytes) {
    return Status(StatusCode::too_large, "the message has " + std::to_string(bytes) +
                                             " bytes, max_message_bytes is " +
                                             std::to_string(options_.max_message_bytes));
  }
  const Result<std::uint32_t> count = topics_.partitions(message.topic, options_.partitions);
  if (!count.ok()) return count.status();
  const std::uint32_t partition =
      message.partition ? message.partition->value : vouch::partition_of(message.key, *count).value;
  if (partition >= *count) {
    return Status(StatusCode::invalid_argument,
                  "topic '" + std::string(message.topic) + "' has " + std::to_string(*count) +
                      " partitions, there is no partition " + std::to_string(partition));
  }
  return topics_.file_of(message.topic, partition);
}

Result<std::unique_ptr<vouch::Subscription>> FileBroker::subscribe(std::string_view topic,
                                                                   vouch::Partition partition,
                                                                   vouch::MessageSink& sink) {
  if (!open_) return Status(StatusCode::unavailable, "the broker is not open");
  const Result<std::uint32_t> count = topics_.partitions(topic, options_.partitions);
  if (!count.ok()) return count.status();
  if (partition.value >= *count) {
    return Status(StatusCode::invalid_argument,
                  "topic '" + std::string(topic) + "' has " + std::to_string(*count) +
                      " partitions, there is no partition " + std::to_string(partition.value));
  }
  const std::string path = topics_.file_of(topic, partition.value);
  auto file = PartitionFile::open(path);
  if (!file.ok()) return file.status();
  const Result<std::uint64_t> end = (*file)->end();
  if (!end.ok()) return end.status();
  std::shared_ptr<Follower> follower(
      new Follower{sink, std::string(topic), partition, *std::move(file), *end});
  if (Status status = tailer_.follow(path, follower); !status.ok()) return status;
  return std::unique_ptr<vouch::Subscription>(
      std::make_unique<FileSubscription>(tailer_, std::move(follower)));
}

void* FileBroker::query(std::string_view /*interface_id*/) {
  return nullptr;
}

}  // namespace broker_files
