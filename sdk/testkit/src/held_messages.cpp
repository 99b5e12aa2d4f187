// HeldMessages; see the header. Sinks are called without the mutex.
#include "held_messages.h"

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
  return keys_.size() + messages <= kMaxMessages;
}

bool HeldMessages::holds(const TakenMessage& message) const {
  const std::lock_guard lock(mutex_);
  return keys_.contains({message.topic, message.key});
}

void HeldMessages::add(HeldMessage message) {
  const std::lock_guard lock(mutex_);
  keys_.emplace(message.message.topic, message.message.key);
  held_.push_back(std::move(message));
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
  std::set<Key> blocked;
  for (auto held = held_.begin(); held != held_.end();) {
    const Key key{held->message.topic, held->message.key};
    std::optional<Passed> passed;
    if (failed_.contains({held->call, key})) {
      passed = unknown("an earlier message of its key failed");
    } else {
      passed = try_one(*held, blocked.contains(key));
    }
    if (!passed) {
      blocked.insert(key);
      ++held;
      continue;
    }
    if (passed->outcome != PublishOutcome::acked) failed_.insert({held->call, key});
    outcomes.push_back({held->sink, held->index, std::move(*passed)});
    keys_.erase(keys_.find(key));
    held = held_.erase(held);
  }
}

std::optional<Passed> HeldMessages::try_one(HeldMessage& held, bool blocked) {
  if (closing_) return unknown("the broker was closed");
  if (std::chrono::steady_clock::now() >= held.deadline) return unknown("the deadline passed");
  if (blocked) return std::nullopt;
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

}  // namespace vouch::testkit
