// The state behind MemoryExchange: what was taken, and the subscriptions it goes to. Each
// subscription has a thread of its own, so that a stalled delivery holds up nobody else.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "vouch/testkit/memory_broker.h"

namespace vouch::testkit {

TakenMessage own(const Message& message);

/// Delivers to one sink on its own thread.
class MemoryFeed {
 public:
  MemoryFeed(Faults& faults, bool validation, MessageSink& sink);
  ~MemoryFeed() { stop(); }
  MemoryFeed(const MemoryFeed&) = delete;
  MemoryFeed& operator=(const MemoryFeed&) = delete;

  void push(const TakenMessage& message);
  /// Waits for the sink's call that is under way; a stalled one goes on when it is released.
  void stop();

 private:
  void run();
  void deliver(TakenMessage message, std::optional<TakenMessage>& held_back);
  void hand_over(const TakenMessage& message);

  Faults& faults_;
  const bool validation_;
  MessageSink& sink_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<TakenMessage> waiting_;
  bool stopping_ = false;
  std::thread thread_;
};

class MemoryExchange::Impl {
 public:
  Impl(Faults& faults, std::string validation_topic);

  [[nodiscard]] bool is_validation(std::string_view topic) const {
    return topic == validation_topic_;
  }
  [[nodiscard]] Faults& faults() { return faults_; }

  void ensure(const TopicSpec& topic);
  /// Records the message and hands it to its subscribers, then those held back before it.
  void take(const TakenMessage& message);
  /// Takes the message behind the next one.
  void hold_back(TakenMessage message);
  /// Takes what no next message came for.
  void flush();

  std::shared_ptr<MemoryFeed> subscribe(std::string_view topic, Partition partition,
                                        MessageSink& sink);
  void unsubscribe(const MemoryFeed& feed);

  [[nodiscard]] std::vector<TakenMessage> outbound() const;
  [[nodiscard]] std::vector<TakenMessage> validation() const;
  bool wait_outbound(std::size_t count, std::chrono::milliseconds limit);

 private:
  struct Subscriber {
    std::string topic;
    Partition partition;
    std::shared_ptr<MemoryFeed> feed;
  };
  void take_one(const TakenMessage& message);

  Faults& faults_;
  const std::string validation_topic_;
  mutable std::mutex mutex_;
  std::condition_variable taken_;
  std::vector<TakenMessage> outbound_;
  std::vector<TakenMessage> validation_;
  std::vector<TakenMessage> held_back_;
  std::map<std::string, std::uint32_t, std::less<>> partitions_;
  std::vector<Subscriber> subscribers_;
};

}  // namespace vouch::testkit
