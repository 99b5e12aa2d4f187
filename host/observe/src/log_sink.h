// LogSink: where the lines of all loggers end, on the one thread that writes them. The file behind
// it can be changed while lines arrive. [any-thread]
#pragma once

#include <spdlog/async_logger.h>
#include <spdlog/details/thread_pool.h>
#include <spdlog/sinks/sink.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

namespace vouch::observe {

class LogSink final : public spdlog::sinks::sink {
 public:
  explicit LogSink(std::shared_ptr<spdlog::sinks::sink> target) : target_(std::move(target)) {}

  /// From now on lines go to `target`; the old one is closed once its last line is written.
  void replace(std::shared_ptr<spdlog::sinks::sink> target);

  /// Whose lost lines are told of. Pre: it outlives the last line.
  void watch(spdlog::details::thread_pool& pool);

  /// How many flushes were done so far; and waits until there is one more than `before`, but not
  /// for ever: a stuck disk must not hold the caller.
  std::size_t flushes() const;
  void wait_for_flush(std::size_t before);

  void log(const spdlog::details::log_msg& message) override;
  void flush() override;
  void set_pattern(const std::string& pattern) override;
  void set_formatter(std::unique_ptr<spdlog::formatter> formatter) override;

 private:
  std::shared_ptr<spdlog::sinks::sink> target() const;
  void tell_of_lost_lines(spdlog::sinks::sink& target);

  mutable std::mutex mutex_;
  std::condition_variable flushed_;
  std::shared_ptr<spdlog::sinks::sink> target_;
  std::unique_ptr<spdlog::formatter> formatter_;
  spdlog::details::thread_pool* pool_ = nullptr;
  std::size_t flushes_ = 0;
  std::size_t told_lost_ = 0;
};

}  // namespace vouch::observe
