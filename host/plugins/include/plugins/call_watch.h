// CallWatch notices calls of plugins that do not return. Every guarded call is in its list while it
// lasts; one that lasts longer than the limit is logged once, counted, and shown to whoever asks
// until it returned, which is logged as well. It can't be ended: what it holds up stays so, and is
// said. [any-thread]
//
// One thread, which wakes when the oldest call would reach the limit: on an idle host once for each
// limit. Log lines and metrics come from it alone, so "returned" never stands before "has not
// returned". Its lock is a leaf, and held for a few instructions by a call.
#pragma once

#include <pthread.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "vouch/host_services.h"

namespace vouch::plugins {

/// Who waits for a call, as far as the thread that made it tells.
struct HeldUp {
  std::string what = "whoever made it waits";  ///< in words
  bool whole_host = true;                      ///< more than the one request that asked
};

struct CallWatchOptions {
  std::chrono::milliseconds limit{60'000};
  /// Must not block. [any-thread]
  std::function<HeldUp(std::string_view thread, std::string_view call)> held_up;
};

/// A call that has not returned.
struct RunningCall {
  std::string plugin;
  std::string call;
  std::string thread;
  Timestamp since;
  std::chrono::milliseconds age{};
  HeldUp held_up;
};

class CallWatch {
 public:
  /// How much longer than the limit a call may take.
  enum class Patience : std::uint8_t { usual, long_work };
  static constexpr int kLongWork = 10;  ///< times the limit

  /// `services` must outlive it.
  CallWatch(CallWatchOptions options, HostServices& services);
  /// Pre: no call runs any more.
  ~CallWatch();
  CallWatch(const CallWatch&) = delete;
  CallWatch& operator=(const CallWatch&) = delete;

  /// Calls beyond the limit, the oldest first.
  [[nodiscard]] std::vector<RunningCall> stuck() const;
  /// Calls that run for so long or longer, the oldest first.
  [[nodiscard]] std::vector<RunningCall> running_for(std::chrono::milliseconds age) const;

  /// Makes the metrics of a plugin be there before anything is stuck.
  void expect(const std::string& plugin);

  /// One call, for as long as this lives. On the stack of the thread that makes it.
  class Call {
   public:
    using Time = std::chrono::steady_clock::time_point;
    /// `watch` may be null: then nobody watches. `plugin` and `name` must outlive it. `wait`: what
    /// the call was told to wait for.
    Call(CallWatch* watch, const std::string& plugin, std::string_view name, Time start,
         Patience patience = Patience::usual, std::chrono::milliseconds wait = {});
    ~Call();
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;

   private:
    friend class CallWatch;
    CallWatch* const watch_;
    const std::string& plugin_;
    const std::string_view name_;
    const Time start_;
    Time due_{};
    const ::pthread_t thread_ = ::pthread_self();
    // Guarded by the watch's lock.
    std::unique_ptr<RunningCall> noticed_;  ///< once it is beyond the limit
    Call* before_ = nullptr;
    Call* after_ = nullptr;
  };

 private:
  using Time = Call::Time;
  struct Notice {
    RunningCall call;
    bool returned = false;
  };
  using Notices = std::vector<Notice>;

  void begin(Call& call);
  void end(Call& call);
  void watch();
  [[nodiscard]] Notices take_notices(Time now);
  [[nodiscard]] Time next_due(Time now) const;
  [[nodiscard]] RunningCall describe(const Call& call, Time now) const;
  [[nodiscard]] HeldUp held_up_by(const RunningCall& call) const;
  template <typename Wanted>
  [[nodiscard]] std::vector<RunningCall> calls_that(const Wanted& wanted) const;
  void tell_stuck(const RunningCall& call);
  void tell_returned(const RunningCall& call);
  [[nodiscard]] Gauge& stuck_calls(const std::string& plugin);

  const CallWatchOptions options_;
  HostServices& services_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  Call* newest_ = nullptr;
  Notices returned_;  ///< that were noticed, and must be told of
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace vouch::plugins
