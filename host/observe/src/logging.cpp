// Lines are put into a bounded queue and written by one thread, so that a slow disk or a stuck
// terminal never holds a lane. When the queue is full the oldest lines are lost, and that is told.
#include "observe/logging.h"

#include <spdlog/async_logger.h>
#include <spdlog/sinks/ansicolor_sink.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <map>
#include <mutex>
#include <optional>

#include "log_line.h"
#include "log_sink.h"

namespace vouch::observe {
namespace {

constexpr std::size_t kQueuedLines = 8192;

std::optional<spdlog::level::level_enum> level_of(const std::string& name) {
  if (name == "trace") return spdlog::level::trace;
  if (name == "debug") return spdlog::level::debug;
  if (name == "info") return spdlog::level::info;
  if (name == "warning") return spdlog::level::warn;
  if (name == "error") return spdlog::level::err;
  return std::nullopt;
}

spdlog::level::level_enum level_of(LogLevel level) {
  switch (level) {
    case LogLevel::trace:
      return spdlog::level::trace;
    case LogLevel::debug:
      return spdlog::level::debug;
    case LogLevel::info:
      return spdlog::level::info;
    case LogLevel::warning:
      return spdlog::level::warn;
    case LogLevel::error:
      break;
  }
  return spdlog::level::err;
}

/// Whether standard error is connected to the journal, which stamps lines itself (systemd.exec(5),
/// $JOURNAL_STREAM: device and inode).
bool stderr_is_journal() {
  const char* stream = std::getenv("JOURNAL_STREAM");
  struct stat status {};
  if (stream == nullptr || fstat(STDERR_FILENO, &status) != 0) return false;
  return std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino) == stream;
}

std::string pattern_of(bool json, bool journal) {
  if (json) return R"({"ts":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v})";
  return journal ? "%l %n: %v" : "%Y-%m-%dT%H:%M:%S.%eZ %^%-7l%$ %n: %v";
}

/// Throws spdlog::spdlog_ex when the file can't be opened.
std::shared_ptr<spdlog::sinks::sink> make_target(const LogOptions& options) {
  if (!options.file.empty()) {
    return std::make_shared<spdlog::sinks::basic_file_sink_mt>(options.file);
  }
  const auto colours =
      options.format == "json" ? spdlog::color_mode::never : spdlog::color_mode::automatic;
  return std::make_shared<spdlog::sinks::ansicolor_stderr_sink_mt>(colours);
}

/// The SDK's Logger in front of one spdlog logger.
class NamedLogger final : public Logger {
 public:
  NamedLogger(std::string name, std::shared_ptr<spdlog::logger> logger, bool json)
      : name_(std::move(name)), logger_(std::move(logger)), json_(json) {}

  [[nodiscard]] bool enabled(LogLevel level) const override {
    return logger_->should_log(level_of(level));
  }

  void log(LogLevel level, std::string_view message, std::span<const LogField> fields) override {
    if (!enabled(level)) return;
    const std::string line =
        json_ ? json_members(name_, message, fields) : text_line(message, fields);
    logger_->log(level_of(level), spdlog::string_view_t(line.data(), line.size()));
  }

  void set_level(spdlog::level::level_enum level) { logger_->set_level(level); }

 private:
  std::string name_;
  std::shared_ptr<spdlog::logger> logger_;
  bool json_;
};

Status cannot_open(const std::string& file, const std::exception& error) {
  return Status(StatusCode::unavailable, "can't open the log file " + file + ": " + error.what());
}

Status not_a_level(const std::string& name) {
  return Status(
      StatusCode::invalid_argument,
      "the log level must be trace, debug, info, warning or error, but is \"" + name + "\"");
}

}  // namespace

class Logging::Impl {
 public:
  /// Throws spdlog::spdlog_ex when the file can't be opened.
  Impl(const LogOptions& options, spdlog::level::level_enum level)
      : options_(options),
        level_(level),
        json_(options.format == "json"),
        sink_(std::make_shared<LogSink>(make_target(options))),
        pool_(std::make_shared<spdlog::details::thread_pool>(kQueuedLines, 1)),
        control_(make_logger("log")) {
    sink_->set_pattern(pattern_of(json_, options.file.empty() && stderr_is_journal()));
    sink_->watch(*pool_);
  }

  Logger& named(const std::string& name) {
    const std::lock_guard lock(mutex_);
    auto& logger = loggers_[name];
    if (!logger) logger = std::make_unique<NamedLogger>(name, make_logger(name), json_);
    return *logger;
  }

  Status reopen() {
    if (options_.file.empty()) return {};
    try {
      sink_->replace(make_target(options_));
      return {};
    } catch (const spdlog::spdlog_ex& error) {
      return cannot_open(options_.file, error);
    }
  }

  void set_level(spdlog::level::level_enum level) {
    const std::lock_guard lock(mutex_);
    level_ = level;
    for (const auto& [name, logger] : loggers_) logger->set_level(level);
  }

  void flush() {
    const std::size_t before = sink_->flushes();
    control_->flush();
    sink_->wait_for_flush(before);
  }

 private:
  std::shared_ptr<spdlog::logger> make_logger(const std::string& name) {
    auto logger = std::make_shared<spdlog::async_logger>(
        name, sink_, pool_, spdlog::async_overflow_policy::overrun_oldest);
    logger->set_level(level_);
    return logger;
  }

  const LogOptions options_;
  spdlog::level::level_enum level_;
  const bool json_;
  std::shared_ptr<LogSink> sink_;
  std::shared_ptr<spdlog::details::thread_pool> pool_;  // ends after the last line is written
  std::shared_ptr<spdlog::logger> control_;
  std::mutex mutex_;
  std::map<std::string, std::unique_ptr<NamedLogger>> loggers_;
};

Logging::Logging() = default;
Logging::~Logging() = default;

Result<std::unique_ptr<Logging>> Logging::make(const LogOptions& options) {
  const auto level = level_of(options.level);
  if (!level) return not_a_level(options.level);
  if (options.format != "text" && options.format != "json") {
    return Status(StatusCode::invalid_argument,
                  "the log format must be text or json, but is \"" + options.format + "\"");
  }
  std::unique_ptr<Logging> logging(new Logging());
  try {
    logging->impl_ = std::make_unique<Impl>(options, *level);
  } catch (const spdlog::spdlog_ex& error) {
    return cannot_open(options.file, error);
  }
  return logging;
}

Logger& Logging::named(const std::string& name) {
  return impl_->named(name);
}

Status Logging::reopen() {
  return impl_->reopen();
}

Status Logging::set_level(const std::string& level) {
  const auto known = level_of(level);
  if (!known) return not_a_level(level);
  impl_->set_level(*known);
  return {};
}

void Logging::flush() {
  impl_->flush();
}

}  // namespace vouch::observe
