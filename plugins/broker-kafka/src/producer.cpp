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

/// How precisely deadlines are kept; also how soon a stop is noticed.
constexpr int kPollMs = 20;
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

}  // namespace

Producer::Producer(const Options& options, ClientKind kind, Outage& outage, HostServices& services,
                   std::function<void(const std::string&)> too_large)
    : options_(options),
      kind_(kind),
      services_(services),
      too_large_(std::move(too_large)),
      state_(name_of(kind), options.bootstrap_servers, outage, services, this),
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
    parked_.clear();
    bytes_ = 0;
  }
  for (const auto& [deadline, batch] : left) {
    batch->decide_all(PublishOutcome::unknown,
                      {StatusCode::unavailable, "the connection to Kafka was closed"});
  }
}

void Producer::learn(const std::string& topic) {
  const std::lock_guard lock(mutex_);
  if (topics_.insert(topic).second) new_topics_.push_back(topic);
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
  {
    const std::lock_guard lock(mutex_);
    for (const std::size_t place : places) {
      const Message& message = messages[place];
      Record record;
      record.topic = message.topic;
      if (!topics_.contains(message.topic)) {
        topics_.insert(record.topic);
        new_topics_.push_back(record.topic);
      }
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
      now.emplace_back(number, &records_.emplace(number, std::move(record)).first->second);
    }
    deadlines_.emplace(deadline, batch);
  }
  for (const auto& [number, record] : now) {
    if (parked(number, *record)) continue;
    const rd_kafka_resp_err_t error = produce(number, *record);
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR || error == RD_KAFKA_RESP_ERR__FATAL) continue;
    if (stays_in_mind(error)) {
      park(number, record->topic);
    } else {
      drop(number, outcome_of(error), words_for(error, record->topic));
    }
  }
  return {};
}

/// What librdkafka remembers of a topic may be mended by now: the record waits until it was asked
/// for anew, and those of the topic behind it as well.
void Producer::park(std::uint64_t number, const std::string& topic) {
  const std::lock_guard lock(mutex_);
  if (parked_.empty() || !parked_.contains(topic)) new_topics_.push_back(topic);
  parked_[topic].push_back(number);
}

bool Producer::parked(std::uint64_t number, const Record& record) {
  const std::lock_guard lock(mutex_);
  const auto waiting = parked_.find(record.topic);
  if (waiting == parked_.end()) return false;
  waiting->second.push_back(number);
  return true;
}

void Producer::send_parked() {
  {
    const std::lock_guard lock(mutex_);
    if (parked_.empty()) return;
  }
  // Exclusive: nobody sends to these topics meanwhile.
  const std::unique_lock exclusive(client_mutex_);
  std::map<std::string, std::vector<std::uint64_t>> parked;
  {
    const std::lock_guard lock(mutex_);
    parked.swap(parked_);
  }
  for (const auto& [topic, numbers] : parked) {
    for (const std::uint64_t number : numbers) {
      const Record* record = find(number);
      if (record == nullptr) continue;
      if (!record->batch->wanted(record->index)) {  // its deadline passed
        drop(number, PublishOutcome::unknown, {StatusCode::cancelled, "not sent"});
        continue;
      }
      const rd_kafka_resp_err_t error = produce(number, *record);
      if (error == RD_KAFKA_RESP_ERR_NO_ERROR || error == RD_KAFKA_RESP_ERR__FATAL) continue;
      drop(number, outcome_of(error), words_for(error, topic));
    }
  }
}

/// Null when it is there no more. Pre: the client's lock is held exclusively, on the thread that
/// polls: nobody else takes records away.
const Producer::Record* Producer::find(std::uint64_t number) const {
  const std::lock_guard lock(mutex_);
  const auto found = records_.find(number);
  return found == records_.end() ? nullptr : &found->second;
}

/// Pre: the client's lock is held. The record outlives the message: payload and key are not copied.
rd_kafka_resp_err_t Producer::produce(std::uint64_t number, const Record& record) {
  rd_kafka_headers_t* headers = nullptr;
  if (!record.headers.empty()) {
    headers = rd_kafka_headers_new(record.headers.size());
    for (const auto& [name, value] : record.headers) {
      rd_kafka_header_add(headers, name.data(), static_cast<ssize_t>(name.size()), value.data(),
                          static_cast<ssize_t>(value.size()));
    }
  }
  const std::array<rd_kafka_vu_t, 6> fields = [&] {
    std::array<rd_kafka_vu_t, 6> all{};
    all[0].vtype = RD_KAFKA_VTYPE_TOPIC;
    all[0].u.cstr = record.topic.c_str();
    all[1].vtype = RD_KAFKA_VTYPE_PARTITION;
    all[1].u.i32 = record.partition;
    all[2].vtype = RD_KAFKA_VTYPE_KEY;
    all[2].u.mem.ptr = record.key.empty() ? nullptr : const_cast<char*>(record.key.data());
    all[2].u.mem.size = record.key.size();
    all[3].vtype = RD_KAFKA_VTYPE_VALUE;
    all[3].u.mem.ptr = const_cast<char*>(record.payload.data());
    all[3].u.mem.size = record.payload.size();
    all[4].vtype = RD_KAFKA_VTYPE_OPAQUE;
    all[4].u.ptr = reinterpret_cast<void*>(number);
    all[5].vtype = RD_KAFKA_VTYPE_HEADERS;
    all[5].u.headers = headers;
    return all;
  }();
  const std::size_t count = headers == nullptr ? 5 : 6;
  rd_kafka_error_t* const error = rd_kafka_produceva(client_.get(), fields.data(), count);
  if (error == nullptr) return RD_KAFKA_RESP_ERR_NO_ERROR;
  const rd_kafka_resp_err_t code = rd_kafka_error_code(error);
  rd_kafka_error_destroy(error);
  if (headers != nullptr) rd_kafka_headers_destroy(headers);
  return code;
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
      return drop(number, PublishOutcome::acked, {});
    }
    // Another producer has another id, whose messages are not taken for this one's.
    distrusted_ = true;
    return drop(
        number, PublishOutcome::unknown,
        {StatusCode::unavailable, "Kafka took the message for another one that it has already"});
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
    records_.erase(found);
  }
  batch->decide(index, outcome, why);
}

void Producer::run() {
  while (running_.load()) {
    {
      const std::shared_lock shared(client_mutex_);
      rd_kafka_poll(client_.get(), kPollMs);
    }
    ask_about_topics();
    send_parked();
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
    std::this_thread::sleep_for(milliseconds(kPollMs));  // it has nothing to poll for
    return;
  }
  replace();
  replaced_at_ = now;
  replace_pause_ = std::min(replace_pause_ * 2 + kFirstReplacePause, kMostReplacePause);
}

/// Waits for the answer, which wakes the messages that wait for it; not for long.
void Producer::ask_about_topics() {
  constexpr int kWaitMs = 500;
  std::vector<std::string> topics;
  {
    const std::lock_guard lock(mutex_);
    topics.swap(new_topics_);
  }
  for (const std::string& topic : topics) {
    const std::shared_lock shared(client_mutex_);
    rd_kafka_topic_t* const handle = rd_kafka_topic_new(client_.get(), topic.c_str(), nullptr);
    if (handle == nullptr) continue;
    const rd_kafka_metadata_t* found = nullptr;
    if (rd_kafka_metadata(client_.get(), 0, handle, &found, kWaitMs) ==
        RD_KAFKA_RESP_ERR_NO_ERROR) {
      rd_kafka_metadata_destroy(found);
    }
    rd_kafka_topic_destroy(handle);
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
}

/// The producer can't go on: another one takes its place, and everything that waits.
void Producer::replace() {
  const std::unique_lock exclusive(client_mutex_);
  std::array<char, 512> said{};
  const rd_kafka_resp_err_t fatal = rd_kafka_fatal_error(client_.get(), said.data(), said.size());
  const Status why =
      fatal == RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED ? words_for(fatal, "")
      : fatal == RD_KAFKA_RESP_ERR_NO_ERROR
          ? Status(StatusCode::unavailable, "messages were taken for others and not kept")
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
    topics_.clear();
    parked_.clear();  // they are among the records
    for (const auto& [number, record] : records_) {
      (record.batch->wanted(record.index) ? numbers : unwanted).push_back(number);
    }
  }
  for (const std::uint64_t number : unwanted) {
    drop(number, PublishOutcome::unknown, {StatusCode::cancelled, "not sent"});
  }
  for (const std::uint64_t number : numbers) {
    const Record* record = find(number);
    if (record == nullptr) continue;
    const rd_kafka_resp_err_t error = produce(number, *record);
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) continue;
    const std::string topic = record->topic;
    drop(number, outcome_of(error), words_for(error, topic));
  }
}

void Producer::fail_for_good() {
  const std::shared_lock shared(client_mutex_);
  rd_kafka_test_fatal_error(client_.get(), RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER,
                            "on purpose");
}

}  // namespace vouch::kafka
