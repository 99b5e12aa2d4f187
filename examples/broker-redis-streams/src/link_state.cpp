#include "link_state.h"

#include <algorithm>

namespace broker_redis {

using vouch::Health;
using vouch::Status;
using vouch::StatusCode;

namespace {

constexpr auto kRefusalCounts = std::chrono::seconds(10);
constexpr auto kGiveUpAskedEvery = std::chrono::milliseconds(100);

std::string for_how_long(std::chrono::steady_clock::time_point since) {
  const auto seconds =
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::steady_clock::now() - since);
  return ", for " + std::to_string(seconds.count()) + " s";
}

}  // namespace

void LinkState::connected(const std::string& where) {
  {
    const std::lock_guard lock(mutex_);
    connected_ = true;
    where_ = where;
    since_ = std::chrono::steady_clock::now();
  }
  changed_.notify_all();
}

bool LinkState::failed(const Status& why) {
  bool news = false;
  {
    const std::lock_guard lock(mutex_);
    news = connected_ || why_.code() != why.code() || since_ == Time{};
    if (news) since_ = std::chrono::steady_clock::now();
    connected_ = false;
    why_ = why;
  }
  changed_.notify_all();
  return news;
}

void LinkState::refused(const Status& why) {
  const std::lock_guard lock(mutex_);
  refusal_ = why;
  refused_at_ = std::chrono::steady_clock::now();
}

void LinkState::accepted() {
  const std::lock_guard lock(mutex_);
  refusal_ = {};
}

Health LinkState::health() const {
  const std::lock_guard lock(mutex_);
  if (!connected_) return {false, why_.message() + (since_ == Time{} ? "" : for_how_long(since_))};
  if (!refusal_.ok() && std::chrono::steady_clock::now() < refused_at_ + kRefusalCounts) {
    return {false, refusal_.message()};
  }
  return {true, "connected to " + where_};
}

bool LinkState::is_connected() const {
  const std::lock_guard lock(mutex_);
  return connected_;
}

Status LinkState::wait_connected(std::chrono::steady_clock::time_point deadline,
                                 const std::function<bool()>& give_up) {
  std::unique_lock lock(mutex_);
  const auto settled = [this] { return connected_ || !is_passing(why_); };
  while (!settled() && !give_up() && std::chrono::steady_clock::now() < deadline) {
    const auto next = std::chrono::steady_clock::now() + kGiveUpAskedEvery;
    changed_.wait_until(lock, std::min(deadline, next), settled);
  }
  return connected_ ? Status() : why_;
}

bool is_passing(const Status& status) {
  return status.code() == StatusCode::unavailable || status.code() == StatusCode::timeout ||
         status.code() == StatusCode::cancelled;
}

std::chrono::milliseconds Backoff::next() {
  const auto pause = pause_;
  pause_ = std::min(pause_ * 2, kLongest);
  std::uniform_int_distribution<std::int64_t> part(pause.count() / 2, pause.count());
  return std::chrono::milliseconds(part(random_));
}

}  // namespace broker_redis
