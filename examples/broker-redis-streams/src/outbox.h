// Outbox: the messages that wait to be sent, in the order in which they were published, within
// bounds; and the thread that gives `unknown` to those whose deadline passed. [any-thread] unless
// said otherwise. No lock is held while a sink is called.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "vouch/messaging/publish_batch.h"

namespace broker_redis {

/// One publish; the batch tells the outcomes in the order that the contract wants.
struct Call {
  Call(std::span<const vouch::Message> messages, vouch::PublishSink& sink,
       std::chrono::steady_clock::time_point until)
      : batch(messages, sink), deadline(until) {}

  vouch::messaging::PublishBatch batch;
  const std::chrono::steady_clock::time_point deadline;
};

/// A message of a call, with bytes of its own.
struct Outgoing {
  std::shared_ptr<Call> call;
  std::size_t index = 0;  ///< in the call
  std::string topic;
  std::optional<std::uint32_t> partition;
  std::vector<std::string> fields;  ///< as XADD takes them; the second one is the key
  std::uint64_t bytes = 0;

  /// Whether sending it still makes sense.
  [[nodiscard]] bool wanted() const { return call->batch.wanted(index); }
  void decide(vouch::PublishOutcome outcome, const vouch::Status& why) const {
    call->batch.decide(index, outcome, why);
  }
};

class Outbox {
 public:
  Outbox(std::size_t most_messages, std::uint64_t most_bytes)
      : most_messages_(most_messages), most_bytes_(most_bytes) {}
  ~Outbox() { stop(); }
  Outbox(const Outbox&) = delete;
  Outbox& operator=(const Outbox&) = delete;

  /// One thread calls start and stop. Idempotent.
  void start();
  /// What has no outcome gets `unknown`.
  void stop();

  /// Room for messages; `put` must follow. Errors: overloaded, unavailable (not started).
  vouch::Status reserve(std::size_t messages, std::uint64_t bytes);
  /// Takes messages of one call for which there is room.
  void put(const std::shared_ptr<Call>& call, std::vector<Outgoing> messages);

  /// The next messages, at least one and then within the bounds; none if none came in time or it
  /// was stopped. Their room is kept until `done`.
  std::vector<Outgoing> take(std::size_t most_messages, std::uint64_t most_bytes,
                             std::chrono::milliseconds wait);
  /// These go first when `take` is called next.
  void put_back(std::vector<Outgoing> messages);
  /// These have an outcome, or none is of use any more.
  void done(const std::vector<Outgoing>& messages);

  /// Waits, or until it is stopped.
  void pause(std::chrono::milliseconds time);
  [[nodiscard]] bool running() const;

 private:
  using Calls = std::multimap<std::chrono::steady_clock::time_point, std::shared_ptr<Call>>;
  void expire_calls();

  const std::size_t most_messages_;
  const std::uint64_t most_bytes_;
  std::thread expiring_;

  mutable std::mutex mutex_;  ///< guards what follows
  std::condition_variable work_;
  std::condition_variable clock_;
  std::condition_variable stopped_;
  std::deque<Outgoing> waiting_;
  Calls untold_;  ///< that have messages without an outcome
  std::size_t messages_ = 0;
  std::uint64_t bytes_ = 0;
  bool running_ = false;
};

}  // namespace broker_redis
