#include "signal_book.h"

#include <algorithm>

namespace vouch::saga {
namespace {

/// Most signals arrive before their commit; the writer's own word usually comes first.
constexpr std::chrono::milliseconds kFirstQuestion{3};
constexpr std::chrono::milliseconds kLongestPause{500};
constexpr std::size_t kRememberedTransactions = 16'384;
constexpr std::size_t kMostWaiting = 100'000;
constexpr std::size_t kMostQuestions = 1'000;

}  // namespace

void SignalBook::add(const format::ValidationMessage& message) {
  const std::lock_guard lock(mutex_);
  const auto own = own_.find(message.token);
  if (own != own_.end()) {
    settled_.push_back(
        {message.delivery, message.token, own->second ? Verdict::committed : Verdict::aborted});
    changed_.notify_all();
    return;
  }
  const auto known = waiting_.find(message.token);
  if (known != waiting_.end()) {
    known->second.deliveries.push_back(message.delivery);
    return;
  }
  if (waiting_.size() >= kMostWaiting) return;
  const Time ask_at = std::chrono::steady_clock::now() + kFirstQuestion;
  waiting_.emplace(message.token, Waiting{{message.delivery}, ask_at, kFirstQuestion});
  if (ask_at < asleep_until_) changed_.notify_all();
}

void SignalBook::ended(const Token& token, bool committed) {
  const std::lock_guard lock(mutex_);
  if (own_.emplace(token, committed).second) own_order_.push_back(token);
  if (own_order_.size() > kRememberedTransactions) {
    own_.erase(own_order_.front());
    own_order_.pop_front();
  }
  const auto waiting = waiting_.find(token);
  if (waiting == waiting_.end()) return;
  settle(token, waiting->second, committed ? Verdict::committed : Verdict::aborted);
}

void SignalBook::settle(const Token& token, Waiting& waiting, Verdict verdict) {
  for (const DeliveryId& delivery : waiting.deliveries)
    settled_.push_back({delivery, token, verdict});
  waiting_.erase(token);
  changed_.notify_all();
}

void SignalBook::wake() {
  {
    const std::lock_guard lock(mutex_);
    woken_ = true;
  }
  changed_.notify_all();
}

void SignalBook::wait(Time until) {
  std::unique_lock lock(mutex_);
  while (!woken_ && settled_.empty()) {
    Time next = until;
    for (const auto& [token, waiting] : waiting_) next = std::min(next, waiting.ask_at);
    if (std::chrono::steady_clock::now() >= next) break;
    asleep_until_ = next;
    changed_.wait_until(lock, next);
    asleep_until_ = Time{};
  }
  woken_ = false;
}

void SignalBook::wait_woken(Time until) {
  std::unique_lock lock(mutex_);
  changed_.wait_until(lock, until, [this] { return woken_; });
  woken_ = false;
}

std::vector<SettledSignal> SignalBook::take_settled() {
  const std::lock_guard lock(mutex_);
  return std::exchange(settled_, {});
}

std::vector<Token> SignalBook::take_questions(Time now) {
  const std::lock_guard lock(mutex_);
  std::vector<Token> tokens;
  for (auto& [token, waiting] : waiting_) {
    if (waiting.ask_at > now) continue;
    tokens.push_back(token);
    if (tokens.size() == kMostQuestions) break;
  }
  return tokens;
}

void SignalBook::answer(std::span<const Token> tokens, std::span<const Verdict> verdicts,
                        Time now) {
  const std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const auto waiting = waiting_.find(tokens[i]);
    if (waiting == waiting_.end()) continue;  // its writer told meanwhile
    if (verdicts[i] != Verdict::in_progress) {
      settle(tokens[i], waiting->second, verdicts[i]);
      continue;
    }
    waiting->second.pause = std::min(waiting->second.pause * 2, kLongestPause);
    waiting->second.ask_at = now + waiting->second.pause;
  }
}

void SignalBook::postpone(std::span<const Token> tokens, Time until) {
  const std::lock_guard lock(mutex_);
  for (const Token& token : tokens) {
    const auto waiting = waiting_.find(token);
    if (waiting != waiting_.end()) waiting->second.ask_at = until;
  }
}

bool SignalBook::waits_for(const Token& token) const {
  const std::lock_guard lock(mutex_);
  return waiting_.contains(token);
}

}  // namespace vouch::saga
