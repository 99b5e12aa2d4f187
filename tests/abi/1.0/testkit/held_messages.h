// HeldMessages: publishes of one MemoryBroker that a stall holds up, and those of the same keys
// behind them. Its thread takes them when the stall is released and gives them up at their
// deadline.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "memory_exchange.h"

namespace vouch::testkit {

/// What became of a message that passed its publish step.
struct Passed {
  PublishOutcome outcome = PublishOutcome::acked;
  Status why;
};

/// Applies a fault other than stall and throw_exception to the publish of a message.
Passed publish_one(MemoryExchange::Impl& exchange, const TakenMessage& message, Fault fault);

struct HeldMessage {
  TakenMessage message;
  std::uint64_t call = 0;  ///< which publish it belongs to
  std::size_t index = 0;
  std::chrono::steady_clock::time_point deadline;
  PublishSink* sink = nullptr;
  std::optional<Faults::Taken> stall;  ///< none: only waits for an earlier one of its key
};

/// [any-thread]
class HeldMessages {
 public:
  static constexpr std::size_t kMaxMessages = 10'000;

  explicit HeldMessages(MemoryExchange::Impl& exchange);
  ~HeldMessages() { close(); }
  HeldMessages(const HeldMessages&) = delete;
  HeldMessages& operator=(const HeldMessages&) = delete;

  [[nodiscard]] bool has_room(std::size_t messages) const;
  /// Whether a message of that topic and key waits here.
  [[nodiscard]] bool holds(const TakenMessage& message) const;
  void add(HeldMessage message);
  /// What is here gets `unknown`. Idempotent.
  void close();

 private:
  struct Outcome {
    PublishSink* sink;
    std::size_t index;
    Passed passed;
  };
  using Key = std::pair<std::string, std::string>;

  using Clock = std::chrono::steady_clock;

  void run();
  void step(std::vector<Outcome>& outcomes);
  /// Gives up what is due, or everything when closing. Looks at every message.
  void expire(Clock::time_point now, std::vector<Outcome>& outcomes);
  /// Takes the first messages of a key, until one stalls.
  void advance(const Key& key, std::deque<HeldMessage>& queue, std::vector<Outcome>& outcomes);
  std::optional<Passed> try_first(HeldMessage& held);
  void finish(const Key& key, const HeldMessage& held, Passed passed,
              std::vector<Outcome>& outcomes);

  MemoryExchange::Impl& exchange_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<Key, std::deque<HeldMessage>> held_;  ///< by key, in order; no queue is empty
  std::size_t count_ = 0;
  Clock::time_point next_deadline_ = Clock::time_point::max();
  std::set<std::pair<std::uint64_t, Key>> failed_;  ///< (call, key) whose later ones fail too
  bool closing_ = false;
  std::thread thread_;
};

}  // namespace vouch::testkit
