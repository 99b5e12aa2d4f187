// HeldMessages; see the header. Sinks are called without the mutex.
#include "held_messages.h"

#include <algorithm>

namespace vouch::testkit {
namespace {

/// Faults tell nobody when they are released; while something is held they are asked this often.
constexpr std::chrono::milliseconds kAskEvery{1};

Passed unknown(const char* why) {
  return {PublishOutcome::unknown, Status(StatusCode::timeout, why)};
}

}  // namespace

Passed publish_one(MemoryExchange::Impl& exchange, const TakenMessage& message, Fault fault) {
  switch (fault) {
    case Fault::fail:
      return unknown("told to fail the publish");
    case Fault::lose:
      return {};
    case Fault::lose_and_fail:
      exchange.take(message);
      return unknown("told to lose the acknowledgement");
    case Fault::reject:
      return {PublishOutcome::rejected, Status(StatusCode::too_large, "told to reject")};
    case Fault::reorder:
      exchange.hold_back(message);
      return {};
    case Fault::duplicate:
      exchange.take(message);
      exchange.take(message);
      return {};
    default:
      exchange.take(message);
      return {};
  }
}

HeldMessages::HeldMessages(MemoryExchange::Impl& exchange)
    : exchange_(exchange), thread_([this] { run(); }) {}

bool HeldMessages::has_room(std::size_t messages) const {
  const std::lock_guard lock(mutex_);
  return count_ + messages <= kMaxMessages;
}

bool HeldMessages::holds(const TakenMessage& message) const {
  const std::lock_guard lock(mutex_);
  return held_.contains({message.topic, message.key});
}

void HeldMessages::add(HeldMessage message) {
  const std::lock_guard lock(mutex_);
  next_deadline_ = std::min(next_deadline_, message.deadline);
  Key key{message.message.topic, message.message.key};
  held_[std::move(key)].push_back(std::move(message));
  ++count_;
  changed_.notify_one();
}

void HeldMessages::close() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
    changed_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

void HeldMessages::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    if (held_.empty()) {
      failed_.clear();
      if (closing_) return;
      changed_.wait(lock, [this] { return closing_ || !held_.empty(); });
    }
    std::vector<Outcome> outcomes;
    step(outcomes);
    lock.unlock();
    for (const Outcome& outcome : outcomes) {
      outcome.sink->published(outcome.index, outcome.passed.outcome, outcome.passed.why);
    }
    lock.lock();
    if (!held_.empty() && outcomes.empty()) changed_.wait_for(lock, kAskEvery);
  }
}

void HeldMessages::step(std::vector<Outcome>& outcomes) {
  const Clock::time_point now = Clock::now();
  if (closing_ || now >= next_deadline_) expire(now, outcomes);
  for (auto& [key, queue] : held_) advance(key, queue, outcomes);
  std::erase_if(held_, [](const auto& entry) { return entry.second.empty(); });
}

void HeldMessages::expire(Clock::time_point now, std::vector<Outcome>& outcomes) {
  next_deadline_ = Clock::time_point::max();
  for (auto& [key, queue] : held_) {
    std::deque<HeldMessage> left;
    for (HeldMessage& held : queue) {
      if (closing_) {
        finish(key, held, unknown("the broker was closed"), outcomes);
      } else if (now >= held.deadline) {
        finish(key, held, unknown("the deadline passed"), outcomes);
      } else {
        next_deadline_ = std::min(next_deadline_, held.deadline);
        left.push_back(std::move(held));
      }
    }
    queue.swap(left);
  }
}

void HeldMessages::advance(const Key& key, std::deque<HeldMessage>& queue,
                           std::vector<Outcome>& outcomes) {
  while (!queue.empty()) {
    HeldMessage& first = queue.front();
    std::optional<Passed> passed;
    if (failed_.contains({first.call, key})) {
      passed = unknown("an earlier message of its key failed");
    } else {
      passed = try_first(first);
    }
    if (!passed) return;
    finish(key, first, std::move(*passed), outcomes);
    queue.pop_front();
  }
}

std::optional<Passed> HeldMessages::try_first(HeldMessage& held) {
  Faults& faults = exchange_.faults();
  if (held.stall) {
    if (!faults.released(*held.stall)) return std::nullopt;
    return publish_one(exchange_, held.message, Fault::none);
  }
  const bool validation = exchange_.is_validation(held.message.topic);
  const Faults::Taken taken =
      faults.take(validation ? Step::publish_validation : Step::publish_outbound);
  if (taken.fault != Fault::stall) return publish_one(exchange_, held.message, taken.fault);
  held.stall = taken;
  return std::nullopt;
}

void HeldMessages::finish(const Key& key, const HeldMessage& held, Passed passed,
                          std::vector<Outcome>& outcomes) {
  if (passed.outcome != PublishOutcome::acked) failed_.insert({held.call, key});
  outcomes.push_back({held.sink, held.index, std::move(passed)});
  --count_;
}

}  // namespace vouch::testkit
