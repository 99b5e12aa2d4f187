// MemoryExchange: takes messages and delivers them. Lock order: exchange, then feed; sinks are
// called under neither.
#include "memory_exchange.h"

#include <algorithm>

namespace vouch::testkit {

TakenMessage own(const Message& message) {
  TakenMessage taken;
  taken.topic = message.topic;
  taken.partition = message.partition;
  taken.key = message.key;
  for (const Header& header : message.headers) {
    taken.headers.emplace_back(header.name, header.value);
  }
  taken.payload = message.payload;
  return taken;
}

MemoryFeed::MemoryFeed(Faults& faults, bool validation, MessageSink& sink)
    : faults_(faults), validation_(validation), sink_(sink), thread_([this] { run(); }) {}

void MemoryFeed::push(const TakenMessage& message) {
  const std::lock_guard lock(mutex_);
  waiting_.push_back(message);
  changed_.notify_one();
}

void MemoryFeed::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    changed_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

void MemoryFeed::run() {
  std::optional<TakenMessage> held_back;
  for (;;) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    if (stopping_) return;
    TakenMessage message = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    deliver(std::move(message), held_back);
  }
}

void MemoryFeed::deliver(TakenMessage message, std::optional<TakenMessage>& held_back) {
  const Fault fault = validation_ ? faults_.pass(Step::deliver_validation) : Fault::none;
  if (fault == Fault::lose) return;
  if (fault == Fault::reorder && !held_back) {
    held_back = std::move(message);
    return;
  }
  hand_over(message);
  if (fault == Fault::duplicate) hand_over(message);
  if (held_back) hand_over(*held_back);
  held_back.reset();
}

void MemoryFeed::hand_over(const TakenMessage& message) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
  }
  std::vector<Header> headers;
  headers.reserve(message.headers.size());
  for (const auto& [name, value] : message.headers) headers.push_back({name, value});
  sink_.message({message.topic, message.partition, message.key, headers, message.payload});
}

MemoryExchange::Impl::Impl(Faults& faults, std::string validation_topic)
    : faults_(faults), validation_topic_(std::move(validation_topic)) {}

void MemoryExchange::Impl::ensure(const TopicSpec& topic) {
  const std::lock_guard lock(mutex_);
  std::uint32_t& partitions = partitions_[topic.name];
  partitions = std::max(partitions, topic.partitions);
}

void MemoryExchange::Impl::take(const TakenMessage& message) {
  const std::lock_guard lock(mutex_);
  take_one(message);
  std::vector<TakenMessage> late;
  late.swap(held_back_);
  for (const TakenMessage& earlier : late) take_one(earlier);
}

void MemoryExchange::Impl::hold_back(TakenMessage message) {
  const std::lock_guard lock(mutex_);
  held_back_.push_back(std::move(message));
}

void MemoryExchange::Impl::flush() {
  const std::lock_guard lock(mutex_);
  std::vector<TakenMessage> late;
  late.swap(held_back_);
  for (const TakenMessage& earlier : late) take_one(earlier);
}

void MemoryExchange::Impl::take_one(const TakenMessage& message) {
  (is_validation(message.topic) ? validation_ : outbound_).push_back(message);
  taken_.notify_all();
  const auto known = partitions_.find(message.topic);
  const std::uint32_t count = known == partitions_.end() ? 1 : known->second;
  TakenMessage placed = message;
  placed.partition = message.partition.value_or(partition_of(message.key, count));
  for (const Subscriber& subscriber : subscribers_) {
    if (subscriber.topic == placed.topic && subscriber.partition == *placed.partition) {
      subscriber.feed->push(placed);
    }
  }
}

std::shared_ptr<MemoryFeed> MemoryExchange::Impl::subscribe(std::string_view topic,
                                                            Partition partition,
                                                            MessageSink& sink) {
  auto feed = std::make_shared<MemoryFeed>(faults_, is_validation(topic), sink);
  const std::lock_guard lock(mutex_);
  subscribers_.push_back({std::string(topic), partition, feed});
  return feed;
}

void MemoryExchange::Impl::unsubscribe(const MemoryFeed& feed) {
  const std::lock_guard lock(mutex_);
  std::erase_if(subscribers_, [&](const Subscriber& one) { return one.feed.get() == &feed; });
}

std::vector<TakenMessage> MemoryExchange::Impl::outbound() const {
  const std::lock_guard lock(mutex_);
  return outbound_;
}

std::vector<TakenMessage> MemoryExchange::Impl::validation() const {
  const std::lock_guard lock(mutex_);
  return validation_;
}

bool MemoryExchange::Impl::wait_outbound(std::size_t count, std::chrono::milliseconds limit) {
  std::unique_lock lock(mutex_);
  return taken_.wait_for(lock, limit, [&] { return outbound_.size() >= count; });
}

MemoryExchange::MemoryExchange(Faults& faults, std::string validation_topic)
    : impl_(std::make_unique<Impl>(faults, std::move(validation_topic))) {}
MemoryExchange::~MemoryExchange() = default;

std::vector<TakenMessage> MemoryExchange::outbound() const {
  return impl_->outbound();
}
std::vector<TakenMessage> MemoryExchange::validation() const {
  return impl_->validation();
}
bool MemoryExchange::wait_outbound(std::size_t count, std::chrono::milliseconds limit) const {
  return impl_->wait_outbound(count, limit);
}

}  // namespace vouch::testkit
