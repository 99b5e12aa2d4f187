// PublishCall: one publish whose outcomes are awaited: what both the append lane (validation topic)
// and the saga (outbound topics) do with a broker. One thread for each call object.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "vouch/broker.h"

namespace vouch::publish {

struct PublishReport {
  std::vector<PublishOutcome> outcomes;  ///< one for each message
  Status problem;  ///< of the first message that was not acked; ok when all were
  std::map<std::size_t, Status> refusals;  ///< why, of each message that was rejected

  [[nodiscard]] bool all_acked() const { return problem.ok(); }
};

class PublishCall {
 public:
  /// Hands the messages to the broker, which copies what it needs. `done`, if given, is called
  /// once, from any thread, when the broker has reported on every message, maybe after this object
  /// is gone.
  PublishCall(Broker& broker, std::span<const Message> messages, std::chrono::milliseconds deadline,
              std::function<void()> done = {});

  /// Returns when the broker has reported on every message, or a grace second after the deadline:
  /// what was not reported by then is `unknown`. A report that comes even later is ignored, safely,
  /// also after this object is gone. When the broker took nothing (overloaded, unavailable) every
  /// outcome is `unknown` and `problem` says so. Once `give_up` is true it returns within 100 ms.
  PublishReport wait(const std::atomic<bool>& give_up);

  /// Whether `wait` would return at once.
  [[nodiscard]] bool finished() const;
  /// When it is finished at the latest.
  [[nodiscard]] std::chrono::steady_clock::time_point latest() const { return latest_; }
  /// What is known now; of a call that is not finished the rest is `unknown`.
  [[nodiscard]] PublishReport report() const;

 private:
  class Batch;
  std::shared_ptr<Batch> batch_;
  std::size_t messages_ = 0;
  Status taken_;
  std::chrono::steady_clock::time_point latest_;
};

/// Publishes and waits.
PublishReport publish_and_wait(Broker& broker, std::span<const Message> messages,
                               std::chrono::milliseconds deadline,
                               const std::atomic<bool>& give_up);

}  // namespace vouch::publish
