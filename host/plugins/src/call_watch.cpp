// The list of calls, and the thread that looks through it.
#include "plugins/call_watch.h"

#include <algorithm>
#include <utility>

#include "format/text_codec.h"
#include "plugins/duration_text.h"
#include "vouch/thread_name.h"

namespace vouch::plugins {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

/// Waits beyond this are cut, so that adding them to the time can't overflow.
constexpr milliseconds kLongestWait = std::chrono::hours(24 * 7);

/// Pre: the thread lives, as it does while it is in a call.
std::string name_of(::pthread_t thread) {
  constexpr std::size_t kRoom = 16;
  char name[kRoom] = "";
  return ::pthread_getname_np(thread, name, kRoom) == 0 ? name : "unknown";
}

}  // namespace

CallWatch::Call::Call(CallWatch* watch, const std::string& plugin, std::string_view name,
                      Time start, Patience patience, milliseconds wait)
    : watch_(watch), plugin_(plugin), name_(name), start_(start) {
  if (watch_ == nullptr) return;
  const milliseconds limit = watch_->options_.limit;
  due_ = start_ + (patience == Patience::long_work ? limit * kLongWork : limit) +
         std::min(wait, kLongestWait);
  watch_->begin(*this);
}

CallWatch::Call::~Call() {
  if (watch_ != nullptr) watch_->end(*this);
}

CallWatch::CallWatch(CallWatchOptions options, HostServices& services)
    : options_(std::move(options)), services_(services), thread_([this] { watch(); }) {}

CallWatch::~CallWatch() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void CallWatch::begin(Call& call) {
  const std::lock_guard lock(mutex_);
  call.before_ = newest_;
  if (newest_ != nullptr) newest_->after_ = &call;
  newest_ = &call;
}

void CallWatch::end(Call& call) {
  bool noticed = false;
  {
    const std::lock_guard lock(mutex_);
    if (call.before_ != nullptr) call.before_->after_ = call.after_;
    (call.after_ != nullptr ? call.after_->before_ : newest_) = call.before_;
    noticed = call.noticed_ != nullptr;
    if (noticed) returned_.push_back({describe(call, steady_clock::now()), true});
  }
  if (noticed) changed_.notify_all();
}

RunningCall CallWatch::describe(const Call& call, Time now) const {
  const auto age = now - call.start_;
  RunningCall running;
  if (call.noticed_) {
    running = *call.noticed_;
  } else {
    running.plugin = call.plugin_;
    running.call = call.name_;
    running.thread = name_of(call.thread_);
    running.since = services_.clock().now();
    running.since.micros -= std::chrono::duration_cast<std::chrono::microseconds>(age).count();
  }
  running.age = std::chrono::duration_cast<milliseconds>(age);
  return running;
}

HeldUp CallWatch::held_up_by(const RunningCall& call) const {
  return options_.held_up ? options_.held_up(call.thread, call.call) : HeldUp{};
}

template <typename Wanted>
std::vector<RunningCall> CallWatch::calls_that(const Wanted& wanted) const {
  std::vector<RunningCall> calls;
  {
    const std::lock_guard lock(mutex_);
    const Time now = steady_clock::now();
    for (const Call* call = newest_; call != nullptr; call = call->before_) {
      if (wanted(*call, now)) calls.push_back(describe(*call, now));
    }
  }
  std::reverse(calls.begin(), calls.end());
  for (RunningCall& call : calls) call.held_up = held_up_by(call);
  return calls;
}

std::vector<RunningCall> CallWatch::stuck() const {
  return calls_that([](const Call& call, Time) { return call.noticed_ != nullptr; });
}

std::vector<RunningCall> CallWatch::running_for(milliseconds age) const {
  return calls_that([age](const Call& call, Time now) { return now - call.start_ >= age; });
}

void CallWatch::watch() {
  name_this_thread("call-watch");
  std::unique_lock lock(mutex_);
  while (true) {
    const Time now = steady_clock::now();
    const Notices notices = take_notices(now);
    if (!notices.empty()) {
      lock.unlock();
      for (const Notice& notice : notices) {
        notice.returned ? tell_returned(notice.call) : tell_stuck(notice.call);
      }
      lock.lock();
      continue;
    }
    if (ending_) return;
    changed_.wait_until(lock, next_due(now), [this] { return ending_ || !returned_.empty(); });
  }
}

CallWatch::Notices CallWatch::take_notices(Time now) {
  Notices notices;
  notices.swap(returned_);
  for (Call* call = newest_; call != nullptr; call = call->before_) {
    if (call->noticed_ || call->due_ > now) continue;
    call->noticed_ = std::make_unique<RunningCall>(describe(*call, now));
    call->noticed_->age = std::chrono::duration_cast<milliseconds>(call->due_ - call->start_);
    notices.push_back({*call->noticed_, false});
  }
  return notices;
}

/// A call that begins after this look at the list is due after `now` and the limit.
CallWatch::Time CallWatch::next_due(Time now) const {
  Time next = now + options_.limit;
  for (const Call* call = newest_; call != nullptr; call = call->before_) {
    if (!call->noticed_) next = std::min(next, call->due_);
  }
  return next;
}

void CallWatch::tell_stuck(const RunningCall& call) {
  const HeldUp held_up = held_up_by(call);
  const std::string since = format::time_text(call.since);
  const LogField fields[] = {
      {"plugin", call.plugin}, {"call", call.call}, {"thread", call.thread}, {"since", since}};
  services_.logger().log(
      held_up.whole_host ? LogLevel::error : LogLevel::warning,
      "a plugin's call has not returned for " + duration_text(call.age) + ": " + held_up.what,
      fields);
  const Label labels[] = {{"plugin", call.plugin}, {"call", call.call}};
  services_.metrics()
      .counter("vouch_plugin_stuck_calls_total",
               "Calls of a plugin that took longer than plugins.call_limit.", labels)
      .increment();
  stuck_calls(call.plugin).add(1);
}

void CallWatch::tell_returned(const RunningCall& call) {
  const std::string since = format::time_text(call.since);
  const std::string passed = std::to_string(call.age.count());
  services_.logger().info("a plugin's call returned after all", {{"plugin", call.plugin},
                                                                 {"call", call.call},
                                                                 {"thread", call.thread},
                                                                 {"since", since},
                                                                 {"ms", passed}});
  stuck_calls(call.plugin).add(-1);
}

void CallWatch::expect(const std::string& plugin) {
  stuck_calls(plugin).add(0);
}

Gauge& CallWatch::stuck_calls(const std::string& plugin) {
  const Label labels[] = {{"plugin", plugin}};
  return services_.metrics().gauge(
      "vouch_plugin_stuck_calls",
      "Calls of a plugin that have not returned for longer than plugins.call_limit.", labels);
}

}  // namespace vouch::plugins
