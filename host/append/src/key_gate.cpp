#include "key_gate.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "pending_append.h"
#include "vouch/thread_name.h"

namespace vouch::append {
namespace {

AppendAnswer in_flight_answer(const char* message) {
  return failed_answer(AppendCode::key_in_flight, Status(StatusCode::already_exists, message));
}

}  // namespace

KeyGate::KeyGate(std::chrono::milliseconds wait)
    : wait_(wait), thread_([this] {
        name_this_thread("key-gate");
        expire();
      }) {}

KeyGate::~KeyGate() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

bool KeyGate::enter(const Idempotency& idempotency, AppendDone& done) {
  std::string key = idempotency.scope + '\0' + idempotency.key;
  {
    const std::lock_guard lock(mutex_);
    const auto [entry, is_new] = in_flight_.try_emplace(key);
    if (is_new) {
      entry->second.digest = idempotency.digest;
      done = [this, key = std::move(key), inner = std::move(done)](AppendAnswer answer) {
        leave(key, answer);
        inner(std::move(answer));
      };
      return true;
    }
    if (entry->second.digest == idempotency.digest && wait_.count() > 0) {
      entry->second.waiters.push_back({std::chrono::steady_clock::now() + wait_, std::move(done)});
      ++waiters_;
      changed_.notify_all();
      return false;
    }
  }
  done(in_flight_answer("a request with this idempotency key is being written right now"));
  return false;
}

void KeyGate::leave(const std::string& key, const AppendAnswer& answer) {
  std::vector<Waiter> waiters;
  {
    const std::lock_guard lock(mutex_);
    const auto entry = in_flight_.find(key);
    if (entry == in_flight_.end()) return;
    waiters = std::move(entry->second.waiters);
    waiters_ -= waiters.size();
    in_flight_.erase(entry);
  }
  AppendAnswer again = answer;
  if (again.code == AppendCode::committed) again.code = AppendCode::duplicate;
  for (Waiter& waiter : waiters) waiter.done(again);
}

void KeyGate::expire() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    if (waiters_ == 0) {
      changed_.wait(lock);
      continue;
    }
    const auto now = std::chrono::steady_clock::now();
    auto next = std::chrono::steady_clock::time_point::max();
    std::vector<Waiter> expired;
    for (auto& [key, in_flight] : in_flight_) {
      const auto late =
          std::stable_partition(in_flight.waiters.begin(), in_flight.waiters.end(),
                                [&](const Waiter& waiter) { return waiter.deadline > now; });
      std::move(late, in_flight.waiters.end(), std::back_inserter(expired));
      in_flight.waiters.erase(late, in_flight.waiters.end());
      for (const Waiter& waiter : in_flight.waiters) next = std::min(next, waiter.deadline);
    }
    waiters_ -= expired.size();
    if (expired.empty()) {
      changed_.wait_until(lock, next);
      continue;
    }
    lock.unlock();
    for (Waiter& waiter : expired) {
      waiter.done(
          in_flight_answer("another request with this idempotency key is still being "
                           "written; ask again later"));
    }
    lock.lock();
  }
}

}  // namespace vouch::append
