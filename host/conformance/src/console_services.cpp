#include "console_services.h"

#include <unistd.h>

#include <string>

namespace vouch::conformance {
namespace {

const char* name_of(LogLevel level) {
  constexpr const char* kNames[] = {"trace", "debug", "info", "warning", "error"};
  const auto index = static_cast<std::size_t>(level);
  return index < std::size(kNames) ? kNames[index] : "unknown level";
}

class LineLogger final : public Logger {
 public:
  [[nodiscard]] bool enabled(LogLevel /*level*/) const override { return true; }
  void log(LogLevel level, std::string_view message, std::span<const LogField> fields) override {
    std::string line = std::string(name_of(level)) + ": " + std::string(message);
    for (const LogField& field : fields) {
      line.append(" ").append(field.key).append("=").append(field.value);
    }
    line += '\n';
    // One write for a line; a log that nobody can read is no reason to fail a case.
    [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, line.data(), line.size());
  }
};

class RealClock final : public Clock {
 public:
  [[nodiscard]] Timestamp now() const override {
    const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
    return {std::chrono::duration_cast<std::chrono::microseconds>(since_epoch).count()};
  }
  [[nodiscard]] std::chrono::steady_clock::time_point steady() const override {
    return std::chrono::steady_clock::now();
  }
};

/// Takes everything, keeps nothing.
class Unread final : public Counter, public Gauge, public Histogram {
 public:
  void add(double /*amount*/) override {}
  void set(double /*value*/) override {}
  void observe(double /*value*/) override {}
};

class UnreadMetrics final : public Metrics {
 public:
  Counter& counter(std::string_view /*name*/, std::string_view /*help*/,
                   std::span<const Label> /*labels*/) override {
    return all_;
  }
  Gauge& gauge(std::string_view /*name*/, std::string_view /*help*/,
               std::span<const Label> /*labels*/) override {
    return all_;
  }
  Histogram& histogram(std::string_view /*name*/, std::string_view /*help*/,
                       std::span<const Label> /*labels*/,
                       std::span<const double> /*buckets*/) override {
    return all_;
  }

 private:
  Unread all_;
};

}  // namespace

class ConsoleServices::Impl {
 public:
  LineLogger logger;
  RealClock clock;
  UnreadMetrics metrics;
};

ConsoleServices::ConsoleServices() : impl_(std::make_unique<Impl>()) {}
ConsoleServices::~ConsoleServices() = default;

Logger& ConsoleServices::logger() {
  return impl_->logger;
}
Clock& ConsoleServices::clock() {
  return impl_->clock;
}
Metrics& ConsoleServices::metrics() {
  return impl_->metrics;
}

}  // namespace vouch::conformance
