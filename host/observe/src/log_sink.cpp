#include "log_sink.h"

#include <spdlog/formatter.h>
#include <spdlog/pattern_formatter.h>

#include <chrono>

namespace vouch::observe {

void LogSink::replace(std::shared_ptr<spdlog::sinks::sink> target) {
  const std::lock_guard lock(mutex_);
  if (formatter_) target->set_formatter(formatter_->clone());
  target_ = std::move(target);
}

void LogSink::watch(spdlog::details::thread_pool& pool) {
  const std::lock_guard lock(mutex_);
  pool_ = &pool;
}

std::size_t LogSink::flushes() const {
  const std::lock_guard lock(mutex_);
  return flushes_;
}

void LogSink::wait_for_flush(std::size_t before) {
  constexpr std::chrono::seconds kLongest{2};
  std::unique_lock lock(mutex_);
  flushed_.wait_for(lock, kLongest, [&] { return flushes_ > before; });
}

std::shared_ptr<spdlog::sinks::sink> LogSink::target() const {
  const std::lock_guard lock(mutex_);
  return target_;
}

void LogSink::log(const spdlog::details::log_msg& message) {
  const auto to = target();
  to->log(message);
  tell_of_lost_lines(*to);
  to->flush();
}

void LogSink::tell_of_lost_lines(spdlog::sinks::sink& target) {
  std::size_t lost = 0;
  {
    const std::lock_guard lock(mutex_);
    if (pool_ == nullptr) return;
    const std::size_t all = pool_->overrun_counter();
    lost = all - std::exchange(told_lost_, all);
  }
  if (lost == 0) return;
  const std::string text =
      "log lines were lost, since they can't be written fast enough: " + std::to_string(lost);
  target.log({"log", spdlog::level::warn, text});
}

void LogSink::flush() {
  target()->flush();
  const std::lock_guard lock(mutex_);
  ++flushes_;
  flushed_.notify_all();
}

void LogSink::set_pattern(const std::string& pattern) {
  set_formatter(
      std::make_unique<spdlog::pattern_formatter>(pattern, spdlog::pattern_time_type::utc));
}

void LogSink::set_formatter(std::unique_ptr<spdlog::formatter> formatter) {
  const std::lock_guard lock(mutex_);
  target_->set_formatter(formatter->clone());
  formatter_ = std::move(formatter);
}

}  // namespace vouch::observe
