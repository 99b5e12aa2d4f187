#include "producer.h"

#include <algorithm>
#include <array>
#include <utility>

#include "error_words.h"
#include "headers.h"
#include "vouch/thread_name.h"

namespace vouch::kafka {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

/// How soon what waits for something else than a report is looked at again.
constexpr milliseconds kPoll{20};
/// At the latest; whoever brings something that is due earlier wakes the thread.
constexpr milliseconds kIdlePoll{1'000};
/// Between producers that break at once.
constexpr milliseconds kFirstReplacePause{50};
constexpr milliseconds kMostReplacePause{1'000};

const char* name_of(ClientKind kind) {
  switch (kind) {
    case ClientKind::validation:
      return "validation";
    case ClientKind::outbound:
      return "outbound";
    case ClientKind::single:
      return "single";
    case ClientKind::consumer:
      break;
  }
  return "consumer";
}

/// librdkafka keeps these and answers with them by itself, until it asks about the topic again.
bool stays_in_mind(rd_kafka_resp_err_t error) {
  return error == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED ||
         error == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART ||
         error == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC;
}

/// 0 when brokers don't say. Waits for the answer, which wakes the messages that wait for it; not
/// for long.
std::int32_t partitions_of(rd_kafka_t* client, const std::string& topic) {
  constexpr int kWaitMs = 500;
  rd_kafka_topic_t* const handle = rd_kafka_topic_new(client, topic.c_str(), nullptr);
  if (handle == nullptr) return 0;
  std::int32_t partitions = 0;
  const rd_kafka_metadata_t* found = nullptr;
  if (rd_kafka_metadata(client, 0, handle, &found, kWaitMs) == RD_KAFKA_RESP_ERR_NO_ERROR) {
    if (found->topic_cnt == 1) partitions = found->topics[0].partition_cnt;
    rd_kafka_metadata_destroy(found);
  }
  rd_kafka_topic_destroy(handle);
  return partitions;
}

}  // namespace

Producer::Producer(const Options& options, ClientKind kind, Outage& outage, HostServices& services,
                   std::function<void(const std::string&)> too_large)
    : options_(options),
      kind_(kind),
      services_(services),
      too_large_(std::move(too_large)),
      state_(name_of(kind), options, outage, services, this),
      replaced_([&]() -> Counter& {
        const Label labels[] = {{"client", name_of(kind)}};
        return services.metrics().counter(
            "vouch_kafka_replaced_producers_total",
            "Producers replaced because they met an error they could not go on after.", labels);
      }()) {}

Producer::~Producer() {
  stop();
}

Result<Producer::Client> Producer::make_client() {
  Result<ClientConf> conf = make_conf(options_, kind_);
  if (!conf.ok()) return conf.status();
  state_.listen(conf->get());
  rd_kafka_conf_set_dr_msg_cb(conf->get(), &Producer::on_report);
  std::array<char, 512> said{};
  rd_kafka_t* client = rd_kafka_new(RD_KAFKA_PRODUCER, conf->get(), said.data(), said.size());
  if (client == nullptr) return Status(StatusCode::invalid_argument, said.data());
  static_cast<void>(conf->release());  // the client has it
  return Client(client);
}

Status Producer::start() {
  Result<Client> client = make_client();
  if (!client.ok()) return client.status();
  client_ = std::move(*client);
  running_.store(true);
  thread_ = std::thread([this] {
    name_this_thread("kafka-producer");
    run();
  });
  return {};
}

void Producer::stop() {
  running_.store(false);
  {
    const std::shared_lock shared(client_mutex_);
    if (client_) wake();
  }
  if (thread_.joinable()) thread_.join();
  const std::unique_lock exclusive(client_mutex_);
  if (client_) {
    replacing_.store(true);  // reports decide nothing from here on
    rd_kafka_purge(client_.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    rd_kafka_poll(client_.get(), 0);
    client_.reset();
  }
  std::multimap<Time, Batch> left;
  {
    const std::lock_guard lock(mutex_);
    left.swap(deadlines_);
    records_.clear();
    gates_.clear();
    bytes_ = 0;
  }
  for (const auto& [deadline, batch] : left) {
    batch->decide_all(PublishOutcome::unknown,
                      {StatusCode::unavailable, "the connection to Kafka was closed"});
  }
}

void Producer::learn(const std::string& topic) {
  const std::shared_lock shared(client_mutex_);
  bool asleep = false;
  {
    const std::lock_guard lock(mutex_);
    meet(topic);
    asleep = sleeps_past(Time::max());
  }
  if (asleep && client_) wake();
}

/// Whether the thread is to be woken for what came. Pre: the mutex is held.
bool Producer::sleeps_past(Time deadline) {
  if (deadline >= sleeps_until_ && new_topics_.empty() && gates_.empty()) return false;
  return std::exchange(sleeps_until_, Time::min()) != Time::min();
}

/// Ends a wait for reports, or the next one. Pre: the client's lock is held.
void Producer::wake() {
  rd_kafka_queue_t* const reports = rd_kafka_queue_get_main(client_.get());
  rd_kafka_queue_yield(reports);
  rd_kafka_queue_destroy(reports);
}

/// How long the thread may wait for reports: until the first deadline.
milliseconds Producer::patience() {
  const std::lock_guard lock(mutex_);
  const auto now = steady_clock::now();
  const bool unsettled =
      !new_topics_.empty() || !gates_.empty() || distrusted_ || replace_pause_.count() > 0;
  milliseconds wait = unsettled ? kPoll : kIdlePoll;
  if (!deadlines_.empty()) {
    const auto left = std::chrono::ceil<milliseconds>(deadlines_.begin()->first - now);
    wait = std::clamp(left, milliseconds(0), wait);
  }
  sleeps_until_ = now + wait;
  return wait;
}

/// Pre: the mutex is held.
void Producer::meet(const std::string& topic) {
  if (gates_.meet(topic)) new_topics_.push_back(topic);
}

bool Producer::has_room(std::size_t messages, std::uint64_t bytes) const {
  const std::lock_guard lock(mutex_);
  return records_.size() + messages <= options_.buffer && bytes_ + bytes <= options_.buffer_bytes;
}

Status Producer::send(std::span<const Message> messages, const std::vector<std::size_t>& places,
                      const Batch& batch, Time deadline) {
  const std::shared_lock shared(client_mutex_);
  if (!running_.load() || !client_) {
    return {StatusCode::unavailable, "the connection to Kafka is closed"};
  }
  std::vector<std::pair<std::uint64_t, const Record*>> now;
  now.reserve(places.size());
  bool asleep = false;
  {
    const std::lock_guard lock(mutex_);
    for (const std::size_t place : places) {
      const Message& message = messages[place];
      Record record;
      record.topic = message.topic;
      meet(record.topic);
      record.partition = message.partition ? static_cast<std::int32_t>(message.partition->value)
                                           : RD_KAFKA_PARTITION_UA;
      record.key = message.key;
      record.payload = message.payload;
      for (const Header& header : message.headers) {
        record.headers.emplace_back(kafka_header(header.name), header.value);
      }
      record.batch = batch;
      record.index = place;
      bytes_ += record.bytes();
      const std::uint64_t number = next_++;
      Record& kept = records_.emplace(number, std::move(record)).first->second;
      if (enter(number, kept)) now.emplace_back(number, &kept);
    }
    deadlines_.emplace(deadline, batch);
    asleep = sleeps_past(deadline);
  }
  if (asleep) wake();
  for (const auto& [number, record] : now) {
    const rd_kafka_resp_err_t error = hand_over(client_.get(), number, *record);
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR || error == RD_KAFKA_RESP_ERR__FATAL) continue;
    if (stays_in_mind(error)) {
      // What librdkafka remembers of the topic may be mended by now: it is asked for anew.
      const std::lock_guard lock(mutex_);
      gates_.hold(record->topic, record->gate, number);
      new_topics_.push_back(record->topic);
    } else {
      drop(number, outcome_of(error), words_for(error, record->topic));
    }
  }
  return {};
}

/// Pre: the mutex is held.
bool Producer::enter(std::uint64_t number, Record& record) {
  record.gate =
      record.partition >= 0 ? record.partition : gates_.partition_of(record.topic, record.key);
  return gates_.enter(record.topic, record.gate, number, steady_clock::now());
}

void Producer::send_waiting() {
  {
    const std::lock_guard lock(mutex_);
    if (gates_.empty()) return;
  }
  // Exclusive: nobody sends past those that waited.
  const std::unique_lock exclusive(client_mutex_);
  std::vector<std::uint64_t> numbers;
  {
    const std::lock_guard lock(mutex_);
    numbers = gates_.take();
  }
  for (const std::uint64_t number : numbers) {
    Record* const record = find(number);
    if (record == nullptr) continue;
    if (!record->batch->wanted(record->index)) {  // its deadline passed
      drop(number, PublishOutcome::unknown, {StatusCode::cancelled, "not sent"});
      continue;
    }
    send_again(number, *record);
  }
}

/// Pre: the client's lock is held exclusively. What librdkafka refuses is not tried once more.
void Producer::send_again(std::uint64_t number, Record& record) {
  {
    const std::lock_guard lock(mutex_);
    meet(record.topic);
    if (!enter(number, record)) return;
  }
  const rd_kafka_resp_err_t error = hand_over(client_.get(), number, record);
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR || error == RD_KAFKA_RESP_ERR__FATAL) return;
  const std::string topic = record.topic;
  drop(number, outcome_of(error), words_for(error, topic));
}

/// Null when it is there no more. Pre: the client's lock is held exclusively, on the thread that
/// polls: nobody else takes records away.
Record* Producer::find(std::uint64_t number) {
  const std::lock_guard lock(mutex_);
  const auto found = records_.find(number);
  return found == records_.end() ? nullptr : &found->second;
}

/// On the thread that polls.
void Producer::on_report(rd_kafka_t* client, const rd_kafka_message_t* report, void* opaque) {
  auto& self = *static_cast<Producer*>(static_cast<LinkState*>(opaque)->owner());
  self.reported(client, *report);
}

void Producer::reported(rd_kafka_t* client, const rd_kafka_message_t& report) {
  if (replacing_.load()) return;
  const auto number = reinterpret_cast<std::uint64_t>(report._private);
  if (report.err == RD_KAFKA_RESP_ERR_NO_ERROR) {
    if (acked_.take(rd_kafka_topic_name(report.rkt), report.partition, report.offset)) {
      state_.works();
      prove(rd_kafka_topic_name(report.rkt), report.partition);
      return drop(number, PublishOutcome::acked, {});
    }
    distrusted_ = true;
    return drop(number, PublishOutcome::unknown,
                {StatusCode::unavailable, "Kafka acknowledged the message and did not keep it"});
  }
  // The next producer sends it again.
  if (rd_kafka_fatal_error(client, nullptr, 0) != RD_KAFKA_RESP_ERR_NO_ERROR) return;
  const std::string topic = rd_kafka_topic_name(report.rkt);
  if (stays_in_mind(report.err)) {
    const std::lock_guard lock(mutex_);
    new_topics_.push_back(topic);
  }
  if (report.err == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE && kind_ != ClientKind::single) {
    // Maybe the request was too large and not this message: from now on one a request.
    too_large_(topic);
    return drop(number, PublishOutcome::unknown,
                {StatusCode::unavailable,
                 "the brokers refuse a request of several messages as too large; from now on " +
                     topic + " gets one message a request (see the topic's max.message.bytes)"});
  }
  drop(number, outcome_of(report.err), words_for(report.err, topic));
}

/// More of the topic's partitions may follow.
void Producer::prove(const std::string& topic, std::int32_t partition) {
  const std::lock_guard lock(mutex_);
  gates_.prove(topic, partition, steady_clock::now());
  if (partition >= gates_.partitions(topic)) new_topics_.push_back(topic);
}

void Producer::drop(std::uint64_t number, PublishOutcome outcome, const Status& why) {
  Batch batch;
  std::size_t index = 0;
  {
    const std::lock_guard lock(mutex_);
    const auto found = records_.find(number);
    if (found == records_.end()) return;
    bytes_ -= found->second.bytes();
    batch = std::move(found->second.batch);
    index = found->second.index;
    gates_.left(found->second.topic, found->second.gate, number);
    records_.erase(found);
  }
  batch->decide(index, outcome, why);
}

void Producer::run() {
  while (running_.load()) {
    {
      const std::shared_lock shared(client_mutex_);
      rd_kafka_poll(client_.get(), static_cast<int>(patience().count()));
    }
    ask_about_topics();
    send_waiting();
    expire();
    look_after(steady_clock::now());
  }
}

/// A producer that breaks as soon as it is made (a right that is missing) is not made again at
/// once.
void Producer::look_after(Time now) {
  if (!distrusted_ &&
      rd_kafka_fatal_error(client_.get(), nullptr, 0) == RD_KAFKA_RESP_ERR_NO_ERROR) {
    if (replace_pause_.count() > 0 && now > replaced_at_ + 2 * kMostReplacePause) {
      replace_pause_ = milliseconds(0);
      state_.accepted();
    }
    return;
  }
  if (now < replaced_at_ + replace_pause_) {
    std::this_thread::sleep_for(kPoll);  // it has nothing to poll for
    return;
  }
  replace();
  replaced_at_ = now;
  replace_pause_ = std::min(replace_pause_ * 2 + kFirstReplacePause, kMostReplacePause);
}

void Producer::ask_about_topics() {
  std::vector<std::string> topics;
  {
    const std::lock_guard lock(mutex_);
    topics.swap(new_topics_);
  }
  std::sort(topics.begin(), topics.end());
  topics.erase(std::unique(topics.begin(), topics.end()), topics.end());
  for (const std::string& topic : topics) {
    std::int32_t partitions = 0;
    {
      const std::shared_lock shared(client_mutex_);
      partitions = partitions_of(client_.get(), topic);
    }
    const std::lock_guard lock(mutex_);
    gates_.know(topic, partitions);
  }
}

void Producer::expire() {
  std::vector<Batch> late;
  {
    const std::lock_guard lock(mutex_);
    const auto now = steady_clock::now();
    while (!deadlines_.empty()) {
      const auto first = deadlines_.begin();
      const bool over = first->second->over();
      if (!over && first->first > now) break;
      if (!over) late.push_back(first->second);
      deadlines_.erase(first);
    }
  }
  if (late.empty()) return;
  {
    const std::shared_lock shared(client_mutex_);
    rd_kafka_purge(client_.get(), RD_KAFKA_PURGE_F_QUEUE);
  }
  const Status why(StatusCode::timeout,
                   "no acknowledgement in time (" + state_.health().detail + ")");
  for (const Batch& batch : late) batch->decide_all(PublishOutcome::unknown, why);
  drop_unwanted();
}

/// Of those that wait: they take up room, and the one they wait for may be on its way for long.
void Producer::drop_unwanted() {
  std::vector<std::uint64_t> unwanted;
  {
    const std::lock_guard lock(mutex_);
    for (const std::uint64_t number : gates_.waiting()) {
      const auto found = records_.find(number);
      if (found == records_.end() || found->second.batch->wanted(found->second.index)) continue;
      unwanted.push_back(number);
    }
  }
  for (const std::uint64_t number : unwanted) {
    drop(number, PublishOutcome::unknown, {StatusCode::cancelled, "not sent"});
  }
}

/// The producer can't go on: another one takes its place, and everything that waits.
void Producer::replace() {
  const std::unique_lock exclusive(client_mutex_);
  std::array<char, 512> said{};
  const rd_kafka_resp_err_t fatal = rd_kafka_fatal_error(client_.get(), said.data(), said.size());
  const Status why =
      fatal == RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED ? words_for(fatal, "")
      : fatal == RD_KAFKA_RESP_ERR_NO_ERROR
          ? Status(StatusCode::unavailable, "messages were acknowledged and not kept")
          : Status(StatusCode::unavailable, said.data());
  const LogField fields[] = {{"client", name_of(kind_)}, {"reason", why.message()}};
  const LogLevel level = replace_pause_.count() == 0 ? LogLevel::warning : LogLevel::debug;
  services_.logger().log(level, "a Kafka producer met an error it can't go on after; replacing it",
                         fields);
  if (fatal == RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED) state_.refused(why.message());
  replacing_.store(true);
  rd_kafka_purge(client_.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
  rd_kafka_poll(client_.get(), 0);
  client_.reset();
  replacing_.store(false);
  replaced_.increment();
  acked_.clear();
  distrusted_ = false;
  Result<Client> client = make_client();
  while (!client.ok() && running_.load()) {
    services_.logger().error("can't make a Kafka producer",
                             {{"reason", client.status().to_string()}});
    std::this_thread::sleep_for(milliseconds(1'000));
    client = make_client();
  }
  if (!client.ok()) return;
  client_ = std::move(*client);
  std::vector<std::uint64_t> numbers;
  std::vector<std::uint64_t> unwanted;
  {
    const std::lock_guard lock(mutex_);
    gates_.clear();  // those that waited are among the records
    for (const auto& [number, record] : records_) {
      (record.batch->wanted(record.index) ? numbers : unwanted).push_back(number);
    }
  }
  for (const std::uint64_t number : unwanted) {
    drop(number, PublishOutcome::unknown, {StatusCode::cancelled, "not sent"});
  }
  for (const std::uint64_t number : numbers) {
    if (Record* const record = find(number)) send_again(number, *record);
  }
}

void Producer::fail_for_good() {
  const std::shared_lock shared(client_mutex_);
  rd_kafka_test_fatal_error(client_.get(), RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER,
                            "on purpose");
}

}  // namespace vouch::kafka
