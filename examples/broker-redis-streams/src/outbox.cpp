#include "outbox.h"

#include <iterator>

#include "vouch/thread_name.h"

namespace broker_redis {

using vouch::PublishOutcome;
using vouch::Status;
using vouch::StatusCode;

namespace {

Status closed() {
  return Status(StatusCode::cancelled, "the broker was closed");
}

}  // namespace

void Outbox::start() {
  if (expiring_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    running_ = true;
  }
  expiring_ = std::thread([this] {
    vouch::name_this_thread("redis_deadlines");
    expire_calls();
  });
}

void Outbox::stop() {
  Calls untold;
  {
    const std::lock_guard lock(mutex_);
    running_ = false;
    untold.swap(untold_);
    waiting_.clear();
    messages_ = 0;
    bytes_ = 0;
  }
  work_.notify_all();
  clock_.notify_all();
  stopped_.notify_all();
  if (expiring_.joinable()) expiring_.join();
  for (const auto& [deadline, call] : untold) {
    call->batch.decide_all(PublishOutcome::unknown, closed());
  }
}

Status Outbox::reserve(std::size_t messages, std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  if (!running_) return Status(StatusCode::unavailable, "the broker is not open");
  const bool full = messages_ + messages > most_messages_;
  const bool large = messages_ > 0 && bytes_ + bytes > most_bytes_;
  if (full || large) {
    return Status(StatusCode::overloaded, std::to_string(messages_) + " messages of " +
                                              std::to_string(bytes_) +
                                              " bytes wait to be sent; queue_messages is " +
                                              std::to_string(most_messages_) + ", queue_bytes " +
                                              std::to_string(most_bytes_));
  }
  messages_ += messages;
  bytes_ += bytes;
  return {};
}

void Outbox::put(const std::shared_ptr<Call>& call, std::vector<Outgoing> messages) {
  bool taken = false;
  {
    const std::lock_guard lock(mutex_);
    taken = running_;
    if (taken) {
      untold_.emplace(call->deadline, call);
      std::move(messages.begin(), messages.end(), std::back_inserter(waiting_));
    }
  }
  if (!taken) {
    call->batch.decide_all(PublishOutcome::unknown, closed());
    return;
  }
  work_.notify_one();
  clock_.notify_one();
}

std::vector<Outgoing> Outbox::take(std::size_t most_messages, std::uint64_t most_bytes,
                                   std::chrono::milliseconds wait) {
  std::vector<Outgoing> taken;
  std::unique_lock lock(mutex_);
  work_.wait_for(lock, wait, [this] { return !running_ || !waiting_.empty(); });
  std::uint64_t bytes = 0;
  while (running_ && !waiting_.empty() && taken.size() < most_messages) {
    if (!taken.empty() && bytes + waiting_.front().bytes > most_bytes) break;
    bytes += waiting_.front().bytes;
    taken.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
  return taken;
}

void Outbox::put_back(std::vector<Outgoing> messages) {
  const std::lock_guard lock(mutex_);
  if (!running_) return;
  waiting_.insert(waiting_.begin(), std::make_move_iterator(messages.begin()),
                  std::make_move_iterator(messages.end()));
}

void Outbox::done(const std::vector<Outgoing>& messages) {
  const std::lock_guard lock(mutex_);
  if (!running_) return;
  const Call* last = nullptr;
  for (const Outgoing& message : messages) {
    --messages_;
    bytes_ -= message.bytes;
    if (message.call.get() == last) continue;
    last = message.call.get();
    if (!last->batch.over()) continue;
    const auto [begin, end] = untold_.equal_range(last->deadline);
    for (auto each = begin; each != end; ++each) {
      if (each->second.get() != last) continue;
      untold_.erase(each);
      break;
    }
  }
}

void Outbox::pause(std::chrono::milliseconds time) {
  std::unique_lock lock(mutex_);
  stopped_.wait_for(lock, time, [this] { return !running_; });
}

bool Outbox::running() const {
  const std::lock_guard lock(mutex_);
  return running_;
}

void Outbox::expire_calls() {
  std::unique_lock lock(mutex_);
  while (running_) {
    if (untold_.empty()) {
      clock_.wait(lock);
      continue;
    }
    const auto next = untold_.begin();
    if (std::chrono::steady_clock::now() < next->first) {
      const auto until = next->first;
      clock_.wait_until(lock, until);
      continue;
    }
    const std::shared_ptr<Call> call = next->second;
    untold_.erase(next);
    lock.unlock();
    call->batch.decide_all(PublishOutcome::unknown,
                           Status(StatusCode::timeout, "Redis did not answer by the deadline"));
    lock.lock();
  }
}

}  // namespace broker_redis
