#include "publisher.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "message_properties.h"
#include "topic_rules.h"
#include "vouch/thread_name.h"

namespace vouch::mqtt_broker {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

/// Paho loses a wake-up now and then, and finds an acknowledgement only a second later, unless
/// something else is sent: then it looks.
constexpr milliseconds kNudgeAfter{5};
constexpr std::uint32_t kMostNudges = 20;
/// A message that was the first in the window of so many broken connections is the reason.
constexpr std::uint32_t kMostLosses = 3;
/// Fixed header, lengths, packet id, properties' length: at most.
constexpr std::uint64_t kPacketOverhead = 16;
constexpr std::array<double, 13> kSeconds = {0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01,
                                             0.025,  0.05,    0.1,    0.5,   1,      5};

/// Why a message was refused, and whether for good. Codes: MQTT 5.0 section 3.4.2.1.
struct Refusal {
  bool for_good;
  StatusCode code;
  const char* words;
};

Refusal refusal_of(int reason) {
  switch (reason) {
    case 0x87:
      return {true, StatusCode::permission_denied, "not authorised to publish to this topic"};
    case 0x90:
      return {true, StatusCode::invalid_argument, "the broker refuses the topic's name"};
    case 0x95:
      return {true, StatusCode::too_large, "the message is larger than the broker takes"};
    case 0x99:
      return {true, StatusCode::invalid_argument, "the broker refuses the payload's format"};
    case 0x97:
      return {false, StatusCode::overloaded, "the broker's quota is used up"};
    default:
      return {false, StatusCode::unavailable, "the broker did not take the message"};
  }
}

Status connection_closed() {
  return {StatusCode::unavailable, "the connection to the broker was closed"};
}

}  // namespace

void Publisher::Listener::on_success(const mqtt::token& token) {
  publisher_.acknowledged(reinterpret_cast<std::uint64_t>(token.get_user_context()), true, 0);
}

void Publisher::Listener::on_failure(const mqtt::token& token) {
  const int reason = publisher_.options_.version5 ? static_cast<int>(token.get_reason_code()) : 0;
  // Anything else is a connection that broke: the message is sent again.
  if (reason < 0x80) return;
  publisher_.acknowledged(reinterpret_cast<std::uint64_t>(token.get_user_context()), false, reason);
}

Publisher::Publisher(const Options& options, HostServices& services)
    : options_(options),
      in_flight_(services.metrics().gauge("vouch_mqtt_in_flight",
                                          "Messages sent and not acknowledged yet.", {})),
      nudges_(services.metrics().counter("vouch_mqtt_nudges_total",
                                         "Empty messages sent because an acknowledgement was late.",
                                         {})),
      latency_(services.metrics().histogram("vouch_mqtt_acknowledge_seconds",
                                            "Time from sending a message to its acknowledgement.",
                                            {}, kSeconds)),
      connection_(options, "pub", services, [this] {
        // Under the lock, so that the thread can't miss it between looking and waiting.
        const std::lock_guard lock(mutex_);
        changed_.notify_all();
      }) {
  connection_.announce(options.status_topic);
}

Publisher::~Publisher() {
  stop();
}

void Publisher::start() {
  const std::lock_guard lock(mutex_);
  if (running_ || stopping_) return;
  running_ = true;
  thread_ = std::thread([this] {
    name_this_thread("mqtt-publisher");
    run();
  });
}

void Publisher::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    running_ = false;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
  connection_.drop();
  std::multimap<Time, Batch> left;
  {
    const std::lock_guard lock(mutex_);
    left.swap(deadlines_);
    waiting_.clear();
    window_.clear();
    open_ = 0;
    messages_ = 0;
    bytes_ = 0;
  }
  for (const auto& [deadline, batch] : left) {
    batch->decide_all(PublishOutcome::unknown, connection_closed());
  }
}

Status Publisher::refused(const Message& message) const {
  std::uint64_t most = std::min<std::uint64_t>(options_.max_message_bytes, maximum_packet_);
  std::uint64_t bytes = message.payload.size() + message.topic.size() + kPacketOverhead;
  if (options_.version5) bytes += properties_size(message);
  if (bytes > most) {
    return {StatusCode::too_large,
            "the message has " + std::to_string(bytes) + " bytes, " +
                (maximum_packet_ < options_.max_message_bytes ? "the broker takes "
                                                              : "max_message_bytes is ") +
                std::to_string(most)};
  }
  return check_topic(message.topic);
}

mqtt::const_message_ptr Publisher::made(const Message& message) const {
  std::string topic(message.topic);
  if (message.partition) topic += '/' + std::to_string(message.partition->value);
  const bool retained = options_.retain && !message.partition;
  auto copy = std::make_shared<mqtt::message>(std::move(topic), message.payload.data(),
                                              message.payload.size(), 1, retained);
  if (options_.version5) copy->set_properties(properties_of(message));
  return copy;
}

Status Publisher::publish(std::span<const Message> messages, milliseconds deadline,
                          PublishSink& sink) {
  if (messages.empty()) return {};
  const auto batch = std::make_shared<messaging::PublishBatch>(messages, sink);
  std::vector<std::pair<std::size_t, Status>> wrong;
  std::vector<Outgoing> taken;
  taken.reserve(messages.size());
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < messages.size(); ++i) {
    const std::uint64_t size = messages[i].payload.size() + messages[i].topic.size();
    taken.push_back({nullptr, batch, i, size});
    bytes += size;
  }
  {
    const std::lock_guard lock(mutex_);
    if (!running_) return {StatusCode::unavailable, "the MQTT broker is not open"};
    if (messages_ + messages.size() > options_.buffer || bytes_ + bytes > options_.buffer_bytes) {
      return {StatusCode::overloaded, "the buffer is full: " + std::to_string(messages_) +
                                          " messages of " + std::to_string(bytes_) +
                                          " bytes wait for the MQTT broker"};
    }
    for (std::size_t i = 0; i < messages.size(); ++i) {
      if (Status status = refused(messages[i]); !status.ok()) {
        wrong.emplace_back(i, std::move(status));
        continue;
      }
      taken[i].message = made(messages[i]);
      ++messages_;
      bytes_ += taken[i].bytes;
    }
  }
  // Before the thread has the others: behind a message that is refused nothing of its key is sent.
  for (const auto& [index, why] : wrong) batch->decide(index, PublishOutcome::rejected, why);
  bool closed = false;
  {
    const std::lock_guard lock(mutex_);
    closed = !running_;
    for (Outgoing& each : taken) {
      if (!closed && each.message != nullptr) waiting_.push_back(std::move(each));
    }
    if (!closed) deadlines_.emplace(steady_clock::now() + deadline, batch);
  }
  if (closed) {
    batch->decide_all(PublishOutcome::unknown, connection_closed());
  } else {
    changed_.notify_all();
  }
  return {};
}

void Publisher::run() {
  std::unique_lock lock(mutex_);
  while (running_) {
    expire(lock);
    if (!running_) break;
    if (connection_.broken() || !connection_.connected()) {
      take_back(lock);
      if (steady_clock::now() >= connection_.next_try()) {
        connect(lock);
        continue;
      }
    } else if (!waiting_.empty() && open_ < window()) {
      send(lock);
      continue;
    } else if (open_ > 0 && nudged_ < kMostNudges &&
               steady_clock::now() >= last_sign_ + kNudgeAfter * (nudged_ + 1)) {
      nudge(lock);
      continue;
    }
    changed_.wait_until(lock, next_event());
  }
}

void Publisher::connect(std::unique_lock<std::mutex>& lock) {
  lock.unlock();
  const bool connected = connection_.connect([this] {
    // Deadlines pass while the broker does not answer.
    std::unique_lock inner(mutex_);
    expire(inner);
    return !running_;
  });
  lock.lock();
  if (connected) maximum_packet_ = connection_.limits().maximum_packet;
}

std::size_t Publisher::window() const {
  return std::min<std::size_t>(options_.window, connection_.limits().receive_maximum);
}

void Publisher::send(std::unique_lock<std::mutex>& lock) {
  std::vector<std::pair<mqtt::const_message_ptr, std::uint64_t>> now;
  while (!waiting_.empty() && open_ < window()) {
    Outgoing next = std::move(waiting_.front());
    waiting_.pop_front();
    if (!next.batch->wanted(next.index)) {
      release(next);
      continue;
    }
    next.sent = steady_clock::now();
    now.emplace_back(next.message, first_ + window_.size());
    window_.push_back(std::move(next));
    ++open_;
  }
  last_sign_ = steady_clock::now();
  nudged_ = 0;
  in_flight_.set(static_cast<double>(open_));
  lock.unlock();
  try {
    for (const auto& [message, number] : now) {
      connection_.client().publish(message, reinterpret_cast<void*>(number), listener_);
    }
  } catch (const mqtt::exception&) {
    // Not connected any more: the handler tells, and everything in the window is sent again. If it
    // was something else, the connection is made anew all the same.
    connection_.drop();
  }
  lock.lock();
}

/// The connection is gone: what is not acknowledged goes back to the front of what waits.
void Publisher::take_back(std::unique_lock<std::mutex>& lock) {
  if (window_.empty() && !connection_.broken()) return;
  lock.unlock();
  connection_.drop();  // no acknowledgement comes after this
  lock.lock();
  drop_finished();
  Batch culprit;
  std::size_t index = 0;
  if (!window_.empty() && ++window_.front().losses >= kMostLosses) {
    culprit = window_.front().batch;
    index = window_.front().index;
  }
  while (!window_.empty()) {
    Outgoing last = std::move(window_.back());
    window_.pop_back();
    if (last.over) {
      release(last);
    } else {
      waiting_.push_front(std::move(last));
    }
  }
  // Numbers are not used again: a late word about an old one finds nothing.
  first_ += options_.buffer + 1;
  open_ = 0;
  in_flight_.set(0);
  if (!culprit) return;
  lock.unlock();
  culprit->decide(index, PublishOutcome::rejected,
                  {StatusCode::too_large,
                   "the broker ended the connection " + std::to_string(kMostLosses) +
                       " times when it got this message; it is probably too large for it"});
  lock.lock();
}

void Publisher::expire(std::unique_lock<std::mutex>& lock) {
  std::vector<Batch> late;
  const auto now = steady_clock::now();
  while (!deadlines_.empty()) {
    const auto first = deadlines_.begin();
    // A batch that is over need not wait for its deadline, but only the first is looked at.
    if (!first->second->over() && first->first > now) break;
    late.push_back(first->second);
    deadlines_.erase(first);
  }
  if (late.empty()) return;
  lock.unlock();
  for (const Batch& batch : late) {
    batch->decide_all(
        PublishOutcome::unknown,
        {StatusCode::timeout, "no acknowledgement in time (" + connection_.health().detail + ")"});
  }
  lock.lock();
  // They leave room for others, also while nothing can be sent.
  std::erase_if(waiting_, [this](const Outgoing& outgoing) {
    if (outgoing.batch->wanted(outgoing.index)) return false;
    release(outgoing);
    return true;
  });
}

void Publisher::nudge(std::unique_lock<std::mutex>& lock) {
  ++nudged_;
  if (options_.nudge_topic.empty()) return;
  nudges_.increment();
  lock.unlock();
  try {
    connection_.client().publish(options_.nudge_topic, "", 0, 0, false);
  } catch (const mqtt::exception&) {
    // The connection is gone; its handler tells.
  }
  lock.lock();
}

/// On Paho's thread. A message that is refused spoils those behind it in its key, which the batch
/// knows.
void Publisher::acknowledged(std::uint64_t number, bool taken, int reason) {
  Batch batch;
  std::size_t index = 0;
  {
    const std::lock_guard lock(mutex_);
    if (number < first_ || number >= first_ + window_.size()) return;
    Outgoing& outgoing = window_[number - first_];
    if (outgoing.over) return;
    outgoing.over = true;
    batch = outgoing.batch;
    index = outgoing.index;
    --open_;
    last_sign_ = steady_clock::now();
    nudged_ = 0;
    latency_.observe(std::chrono::duration<double>(last_sign_ - outgoing.sent).count());
    drop_finished();
    in_flight_.set(static_cast<double>(open_));
  }
  changed_.notify_all();
  if (taken) {
    batch->decide(index, PublishOutcome::acked, {});
    return;
  }
  const Refusal refusal = refusal_of(reason);
  batch->decide(index, refusal.for_good ? PublishOutcome::rejected : PublishOutcome::unknown,
                {refusal.code, refusal.words});
}

/// Pre: the mutex is held.
void Publisher::drop_finished() {
  while (!window_.empty() && window_.front().over) {
    release(window_.front());
    window_.pop_front();
    ++first_;
  }
}

/// Pre: the mutex is held.
void Publisher::release(const Outgoing& outgoing) {
  --messages_;
  bytes_ -= outgoing.bytes;
}

Publisher::Time Publisher::next_event() const {
  auto next = steady_clock::now() + std::chrono::hours(1);
  if (!deadlines_.empty()) next = std::min(next, deadlines_.begin()->first);
  if (!connection_.connected()) return std::min(next, connection_.next_try());
  if (open_ > 0 && nudged_ < kMostNudges) {
    next = std::min(next, last_sign_ + kNudgeAfter * (nudged_ + 1));
  }
  return next;
}

}  // namespace vouch::mqtt_broker
