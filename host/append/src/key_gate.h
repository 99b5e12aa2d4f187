// KeyGate: idempotency keys that are being written right now by this host. A request whose key is
// on its way waits for the other's answer, for a while; so that however many retries arrive at
// once, one is written and all hear the first answer. (What was written before is the storage's
// knowledge.) [any-thread]
#pragma once

#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "append/append_service.h"

namespace vouch::append {

class KeyGate {
 public:
  /// A waiting request is answered key_in_flight after `wait`.
  explicit KeyGate(std::chrono::milliseconds wait);
  ~KeyGate();
  KeyGate(const KeyGate&) = delete;
  KeyGate& operator=(const KeyGate&) = delete;

  /// If the key is free: takes it, and wraps `done` so that its call also frees the key and answers
  /// those who wait; returns true. Else keeps or answers `done` and returns false.
  bool enter(const Idempotency& idempotency, AppendDone& done);

 private:
  struct Waiter {
    std::chrono::steady_clock::time_point deadline;
    AppendDone done;
  };
  struct InFlight {
    std::string digest;
    std::vector<Waiter> waiters;
  };

  void leave(const std::string& key, const AppendAnswer& answer);
  void expire();

  const std::chrono::milliseconds wait_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, InFlight> in_flight_;
  std::size_t waiters_ = 0;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace vouch::append
