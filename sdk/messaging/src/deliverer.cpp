// Queues in, calls of sinks out.
#include "vouch/messaging/deliverer.h"

#include <algorithm>
#include <exception>
#include <iterator>

#include "vouch/thread_name.h"

namespace vouch::messaging {
namespace {

/// Messages for one subscriber before the next one has its turn.
constexpr std::size_t kRoundMessages = 256;

}  // namespace

StoredMessage::StoredMessage(const Message& message, Partition partition)
    : topic_(message.topic), partition_(partition), key_(message.key), payload_(message.payload) {
  headers_.reserve(message.headers.size());
  header_views_.reserve(message.headers.size());
  for (const Header& header : message.headers) {
    headers_.emplace_back(header.name, header.value);
    header_views_.push_back({headers_.back().first, headers_.back().second});
  }
}

Message StoredMessage::view() const {
  return {topic_, partition_, key_, header_views_, payload_};
}

/// What is delivered to one subscriber in one go.
struct Deliverer::Round {
  Inbox* inbox;
  std::vector<std::shared_ptr<const StoredMessage>> messages;
  std::uint64_t dropped;  ///< behind `messages`
  bool gap;               ///< follows `messages`
};

Deliverer::Deliverer(const std::string& name, std::size_t queue_messages, HostServices& services)
    : name_(name),
      queue_messages_(queue_messages),
      services_(services),
      overflowed_(services.metrics().counter(
          "vouch_" + name + "_overflowed_total",
          "Messages dropped because a subscriber's queue was full.", {})) {}

Deliverer::~Deliverer() {
  stop();
}

void Deliverer::start() {
  if (thread_.joinable()) return;
  ending_ = false;
  thread_ = std::thread([this] {
    name_this_thread(name_);
    run();
  });
}

void Deliverer::stop() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  work_.notify_one();
  thread_.join();
}

void Deliverer::put(Inbox& inbox, std::shared_ptr<const StoredMessage> message) {
  bool wake = false;
  {
    const std::lock_guard lock(mutex_);
    if (inbox.stopped_) return;
    if (inbox.dropped_ > 0 || inbox.queue_.size() >= queue_messages_) {
      ++inbox.dropped_;
      overflowed_.increment();
      return;
    }
    inbox.queue_.push_back(std::move(message));
    wake = make_ready(inbox);
  }
  if (wake) work_.notify_one();
}

void Deliverer::lose(Inbox& inbox) {
  bool wake = false;
  {
    const std::lock_guard lock(mutex_);
    if (inbox.stopped_) return;
    inbox.lost_ = true;
    wake = make_ready(inbox);
  }
  if (wake) work_.notify_one();
}

/// Pre: the lock is held. Returns whether the thread must be woken.
bool Deliverer::make_ready(Inbox& inbox) {
  if (inbox.queued_) return false;
  inbox.queued_ = true;
  const bool wake = ready_.empty() && delivering_ == nullptr;
  ready_.push_back(&inbox);
  return wake;
}

void Deliverer::detach(Inbox& inbox) {
  std::unique_lock lock(mutex_);
  inbox.stopped_ = true;
  inbox.queue_.clear();
  inbox.queued_ = false;
  std::erase(ready_, &inbox);
  idle_.wait(lock, [&] { return delivering_ != &inbox; });
}

void Deliverer::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    work_.wait(lock, [this] { return ending_ || !ready_.empty(); });
    if (ending_) return;
    {
      const Round round = take_round();
      delivering_ = round.inbox;
      lock.unlock();
      deliver(round);
    }
    lock.lock();
    if (delivering_->stopped_) idle_.notify_all();
    delivering_ = nullptr;
  }
}

Deliverer::Round Deliverer::take_round() {
  Inbox& inbox = *ready_.front();
  ready_.pop_front();
  Round round{&inbox, {}, 0, false};
  const auto count = static_cast<std::ptrdiff_t>(std::min(kRoundMessages, inbox.queue_.size()));
  const auto end = inbox.queue_.begin() + count;
  round.messages.assign(std::make_move_iterator(inbox.queue_.begin()),
                        std::make_move_iterator(end));
  inbox.queue_.erase(inbox.queue_.begin(), end);
  inbox.queued_ = !inbox.queue_.empty();
  if (inbox.queued_) {
    ready_.push_back(&inbox);
  } else {
    round.dropped = std::exchange(inbox.dropped_, 0);
    round.gap = std::exchange(inbox.lost_, false) || round.dropped > 0;
  }
  return round;
}

void Deliverer::deliver(const Round& round) {
  const Inbox& inbox = *round.inbox;
  try {
    for (const auto& message : round.messages) {
      if (inbox.stopped_) return;
      inbox.sink_.message(message->view());
    }
    if (!round.gap || inbox.stopped_) return;
    if (round.dropped > 0) {
      services_.logger().warning(
          "a subscriber fell behind: its queue was full, messages are missing",
          {{"topic", inbox.topic_},
           {"queue_messages", std::to_string(queue_messages_)},
           {"dropped", std::to_string(round.dropped)}});
    }
    inbox.sink_.gap();
  } catch (const std::exception& error) {
    // The thread serves the other subscribers too and must outlive one broken sink.
    services_.logger().error("a subscriber threw while it took a message",
                             {{"topic", inbox.topic_}, {"error", error.what()}});
  }
}

}  // namespace vouch::messaging
