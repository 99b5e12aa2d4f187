// PublishGuard: holds a broker plugin to "exactly once for each message". It stands between the
// plugin and the caller's sink: drops outcomes that come twice, late or for messages that do not
// exist, and answers *unknown* for those that never come. [any-thread]
//
// The caller's sink is never touched after it has heard of every message. What the plugin calls, on
// the other hand, must stay in memory for as long as the plugin may (wrongly) call it again: a
// batch whose outcomes are complete is kept until many others have followed, one with outcomes
// missing until the broker is destroyed.
//
// Lock order: none of the calls of plugin or sink is made under the lock.
#pragma once

#include <chrono>
#include <condition_variable>
#include <list>
#include <memory>
#include <mutex>
#include <thread>

#include "call_guard.h"
#include "vouch/broker.h"

namespace vouch::plugins {

class PublishGuard {
 public:
  /// `grace`: how long after a deadline an outcome may still come.
  PublishGuard(CallGuard& guard, std::chrono::milliseconds grace);
  /// Pre: the plugin's object is destroyed.
  ~PublishGuard();
  PublishGuard(const PublishGuard&) = delete;
  PublishGuard& operator=(const PublishGuard&) = delete;

  /// Publishes through `broker`. As in vouch/broker.h: an error means that `sink` hears nothing. If
  /// the plugin throws or reports an error after it reported outcomes, the others become unknown
  /// and the result is ok. A plugin that throws before any outcome: internal.
  Status publish(Broker& broker, std::span<const Message> messages,
                 std::chrono::milliseconds deadline, PublishSink& sink);

  /// Answers what is outstanding; for when the plugin has closed.
  void answer_all();

 private:
  class Batch;
  using Batches = std::list<std::shared_ptr<Batch>>;
  using Time = std::chrono::steady_clock::time_point;
  static constexpr Time kNever = Time::max();

  std::shared_ptr<Batch> begin(std::size_t messages, std::chrono::milliseconds deadline,
                               PublishSink& sink);
  void complete(Batch& batch);
  void retire(Batch& batch, bool plugin_may_call);
  void answer(Batch& batch, const std::string& what);
  void watch();
  Batches take_expired(Time now);

  CallGuard& guard_;
  const CallGuard::Operation publish_;
  const CallGuard::Operation acknowledge_;  ///< from the call to the last outcome
  const std::chrono::milliseconds grace_;

  std::mutex mutex_;
  std::condition_variable changed_;
  Batches outstanding_;
  Batches orphans_;  ///< answered here, while the plugin still owes outcomes
  Batches retired_;  ///< the oldest first
  Time wake_at_ = kNever;
  bool ending_ = false;
  std::thread watchdog_;  ///< started by the first publish; sleeps while nothing is outstanding
};

}  // namespace vouch::plugins
