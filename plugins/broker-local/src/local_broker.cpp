// Takes messages, and hands them to the tap and to the queues of the subscribers.
#include "local_broker.h"

#include <algorithm>

#include "json_line.h"

namespace vouch::broker_local {
namespace {

/// The tap's buffer is kept between calls unless one call made it larger than this.
constexpr std::size_t kKeptBufferBytes = std::size_t{1} << 20U;

std::uint64_t size_of(const Message& message) {
  std::uint64_t bytes = message.payload.size();
  for (const Header& header : message.headers) bytes += header.name.size() + header.value.size();
  return bytes;
}

/// The units of order in which a message was not taken, within one call.
class BrokenKeys {
 public:
  void add(const Message& message) { keys_.emplace_back(message.topic, message.key); }
  [[nodiscard]] bool contains(const Message& message) const {
    return std::find(keys_.begin(), keys_.end(), std::pair(message.topic, message.key)) !=
           keys_.end();
  }

 private:
  std::vector<std::pair<std::string_view, std::string_view>> keys_;
};

}  // namespace

class LocalBroker::LocalSubscription final : public Subscription {
 public:
  LocalSubscription(LocalBroker& broker, std::string topic, Partition partition,
                    std::shared_ptr<Inbox> inbox)
      : broker_(broker),
        topic_(std::move(topic)),
        partition_(partition),
        inbox_(std::move(inbox)) {}
  ~LocalSubscription() override { LocalSubscription::stop(); }

  void stop() override {
    broker_.unsubscribe(topic_, partition_, inbox_);
    broker_.deliverer_.detach(*inbox_);
  }

 private:
  LocalBroker& broker_;
  const std::string topic_;
  const Partition partition_;
  const std::shared_ptr<Inbox> inbox_;
};

LocalBroker::LocalBroker(Options options, HostServices& services)
    : options_(std::move(options)),
      services_(services),
      drilled_(services.metrics().counter("vouch_broker_local_drilled_total",
                                          "Messages thrown away on purpose (drop_percent).", {})),
      deliverer_("broker_local", options_.queue_messages, services),
      random_(std::random_device{}()) {}

LocalBroker::~LocalBroker() {
  LocalBroker::close();
}

Status LocalBroker::open() {
  const std::lock_guard lock(mutex_);
  if (open_) return {};
  if (!options_.tap.empty()) {
    Result<std::unique_ptr<Tap>> tap = Tap::open(options_.tap);
    if (!tap.ok()) return tap.status();
    tap_ = std::move(tap).value();
  }
  if (options_.drop_percent > 0) {
    services_.logger().warning("a drill is on: this broker throws acknowledged messages away",
                               {{"drop_percent", std::to_string(options_.drop_percent)}});
  }
  deliverer_.start();
  open_ = true;
  return {};
}

void LocalBroker::close() {
  {
    const std::lock_guard lock(mutex_);
    open_ = false;
    tap_.reset();
  }
  deliverer_.stop();
}

Health LocalBroker::health() {
  const std::lock_guard lock(mutex_);
  return open_ ? Health{true, "topics in this process"} : Health{false, "not open"};
}

BrokerCapabilities LocalBroker::capabilities() const {
  BrokerCapabilities capabilities;
  capabilities.headers = true;
  capabilities.ordered_by_key = true;
  capabilities.max_message_bytes = options_.max_message_bytes;
  return capabilities;
}

std::string LocalBroker::guarantees() const {
  std::string words =
      "Topics live in this process only: an acknowledged message reaches those who subscribe to it "
      "in this process, and does not outlive it. A message that nobody subscribes to is "
      "acknowledged and forgotten.";
  if (!options_.tap.empty()) {
    words += " What goes to the tap " + options_.tap +
             " is in that file before it is acknowledged, and survives the end of the process, not "
             "that of the machine.";
  }
  if (options_.drop_percent > 0) words += " A drill is on: acknowledged messages are lost.";
  return words;
}

Status LocalBroker::ensure(std::span<const TopicSpec> topics, std::chrono::milliseconds /*wait*/) {
  for (const TopicSpec& spec : topics) {
    if (spec.name.empty() || spec.partitions == 0) {
      return Status(StatusCode::invalid_argument,
                    "a topic needs a name and at least one partition: '" + spec.name + "'");
    }
  }
  const std::lock_guard lock(mutex_);
  for (const TopicSpec& spec : topics) {
    Topic& topic = topics_[spec.name];
    topic.partitions = std::max(topic.partitions, spec.partitions);
    topic.ensured = true;
  }
  return {};
}

Status LocalBroker::publish(std::span<const Message> messages,
                            std::chrono::milliseconds /*deadline*/, PublishSink& sink) {
  std::vector<Entry> entries(messages.size());
  {
    const std::lock_guard lock(mutex_);
    if (!open_) return Status(StatusCode::unavailable, "the local broker is not open");
    take(messages, entries);
  }
  for (std::size_t i = 0; i < entries.size(); ++i) {
    sink.published(i, entries[i].outcome, entries[i].why);
  }
  return {};
}

void LocalBroker::take(std::span<const Message> messages, std::vector<Entry>& entries) {
  BrokenKeys broken;
  for (std::size_t i = 0; i < messages.size(); ++i) {
    if (broken.contains(messages[i])) {
      entries[i].fate = Fate::refuse;
      entries[i].outcome = PublishOutcome::unknown;
      entries[i].why =
          Status(StatusCode::cancelled, "not taken, since an earlier message of its key was not");
      continue;
    }
    route(messages[i], entries[i]);
    if (entries[i].fate == Fate::refuse) broken.add(messages[i]);
  }
  if (tap_) write_tap(messages, entries);

  for (std::size_t i = 0; i < messages.size(); ++i) {
    const Entry& entry = entries[i];
    if (entry.fate == Fate::lose) drilled_.increment();
    if (entry.fate != Fate::keep || entry.topic == nullptr) continue;
    const auto subscribers = entry.topic->subscribers.find(entry.partition.value);
    if (subscribers == entry.topic->subscribers.end()) continue;
    const auto stored = std::make_shared<const StoredMessage>(messages[i], entry.partition);
    for (const auto& inbox : subscribers->second) deliverer_.put(*inbox, stored);
  }
}

void LocalBroker::route(const Message& message, Entry& entry) {
  const auto refuse = [&entry](StatusCode code, std::string words) {
    entry.fate = Fate::refuse;
    entry.outcome = PublishOutcome::rejected;
    entry.why = Status(code, std::move(words));
  };
  if (message.topic.empty()) return refuse(StatusCode::invalid_argument, "the topic has no name");
  if (const std::uint64_t bytes = size_of(message); bytes > options_.max_message_bytes) {
    return refuse(StatusCode::too_large, "the message has " + std::to_string(bytes) +
                                             " bytes, max_message_bytes is " +
                                             std::to_string(options_.max_message_bytes));
  }
  const auto found = topics_.find(message.topic);
  if (found != topics_.end()) entry.topic = &found->second;
  const bool ensured = entry.topic != nullptr && entry.topic->ensured;
  const std::uint32_t partitions = ensured ? entry.topic->partitions : 1;
  entry.partition = message.partition.value_or(partition_of(message.key, partitions));
  if (ensured && entry.partition.value >= partitions) {
    return refuse(StatusCode::invalid_argument, "topic '" + std::string(message.topic) + "' has " +
                                                    std::to_string(partitions) +
                                                    " partitions, there is no partition " +
                                                    std::to_string(entry.partition.value));
  }
  if (options_.drop_percent > 0 && matches(message.topic, options_.drop_topics) &&
      std::uniform_int_distribution<std::uint32_t>(0, 99)(random_) < options_.drop_percent) {
    entry.fate = Fate::lose;
  }
}

void LocalBroker::write_tap(std::span<const Message> messages, std::vector<Entry>& entries) {
  lines_.clear();
  for (std::size_t i = 0; i < messages.size(); ++i) {
    if (entries[i].fate != Fate::keep) continue;
    if (!options_.tap_topics.empty() && !matches(messages[i].topic, options_.tap_topics)) continue;
    append_json_line(lines_, messages[i], entries[i].partition);
    entries[i].line_end = lines_.size();
  }
  const Tap::Written written = tap_->append(lines_);
  if (lines_.capacity() > kKeptBufferBytes) lines_ = {};
  if (written.status.ok()) return;

  // From the first line that is not in the file on, nothing of this call is taken: so no message
  // passes an earlier one of its key.
  bool failed = false;
  for (Entry& entry : entries) {
    failed = failed || entry.line_end > written.bytes;
    if (!failed || entry.fate == Fate::refuse) continue;
    entry.fate = Fate::refuse;
    entry.outcome = PublishOutcome::unknown;
    entry.why = written.status;
  }
}

Result<std::unique_ptr<Subscription>> LocalBroker::subscribe(std::string_view topic,
                                                             Partition partition,
                                                             MessageSink& sink) {
  if (topic.empty()) return Status(StatusCode::invalid_argument, "the topic has no name");
  auto inbox = std::make_shared<Inbox>(sink, std::string(topic));
  auto subscription =
      std::make_unique<LocalSubscription>(*this, std::string(topic), partition, inbox);
  const std::lock_guard lock(mutex_);
  const auto found = topics_.find(topic);
  if (found != topics_.end() && found->second.ensured &&
      partition.value >= found->second.partitions) {
    return Status(StatusCode::invalid_argument, "topic '" + std::string(topic) + "' has " +
                                                    std::to_string(found->second.partitions) +
                                                    " partitions, there is no partition " +
                                                    std::to_string(partition.value));
  }
  topics_[std::string(topic)].subscribers[partition.value].push_back(std::move(inbox));
  return std::unique_ptr<Subscription>(std::move(subscription));
}

void LocalBroker::unsubscribe(const std::string& topic, Partition partition,
                              const std::shared_ptr<Inbox>& inbox) {
  const std::lock_guard lock(mutex_);
  const auto found = topics_.find(topic);
  if (found == topics_.end()) return;
  auto& subscribers = found->second.subscribers;
  const auto list = subscribers.find(partition.value);
  if (list == subscribers.end()) return;
  std::erase(list->second, inbox);
  if (list->second.empty()) subscribers.erase(list);
}

void* LocalBroker::query(std::string_view /*interface_id*/) {
  return nullptr;
}

}  // namespace vouch::broker_local
