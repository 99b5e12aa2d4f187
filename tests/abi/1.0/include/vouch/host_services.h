// What the host lends to a plugin (and to its own rooms): log, clock, metrics, stop flag. Valid
// from `create` until `destroy` returns. Everything here is [any-thread].
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string_view>

#include "vouch/types.h"

namespace vouch {

enum class LogLevel : std::uint8_t { trace = 0, debug = 1, info = 2, warning = 3, error = 4 };

struct LogField {
  std::string_view key;
  std::string_view value;
};

/// A plugin logs only through this. Never blocks on a slow disk for long.
class Logger {
 public:
  [[nodiscard]] virtual bool enabled(LogLevel level) const = 0;
  virtual void log(LogLevel level, std::string_view message, std::span<const LogField> fields) = 0;

  void debug(std::string_view message, std::initializer_list<LogField> fields = {}) {
    if (enabled(LogLevel::debug)) log(LogLevel::debug, message, {fields.begin(), fields.size()});
  }
  void info(std::string_view message, std::initializer_list<LogField> fields = {}) {
    log(LogLevel::info, message, {fields.begin(), fields.size()});
  }
  void warning(std::string_view message, std::initializer_list<LogField> fields = {}) {
    log(LogLevel::warning, message, {fields.begin(), fields.size()});
  }
  void error(std::string_view message, std::initializer_list<LogField> fields = {}) {
    log(LogLevel::error, message, {fields.begin(), fields.size()});
  }

 protected:
  ~Logger() = default;
};

class Clock {
 public:
  /// Wall time, for stamps; may jump.
  [[nodiscard]] virtual Timestamp now() const = 0;
  /// For durations and deadlines; never jumps.
  [[nodiscard]] virtual std::chrono::steady_clock::time_point steady() const = 0;

 protected:
  ~Clock() = default;
};

class Counter {
 public:
  virtual void add(double amount) = 0;
  void increment() { add(1); }

 protected:
  ~Counter() = default;
};

class Gauge {
 public:
  virtual void set(double value) = 0;
  virtual void add(double amount) = 0;

 protected:
  ~Gauge() = default;
};

class Histogram {
 public:
  virtual void observe(double value) = 0;

 protected:
  ~Histogram() = default;
};

struct Label {
  std::string_view name;
  std::string_view value;
};

/// Names follow Prometheus' conventions (base units, `_total` on counters). The same name and
/// labels give the same object, which lives as long as the host. Never label by stream: unbounded.
class Metrics {
 public:
  virtual Counter& counter(std::string_view name, std::string_view help,
                           std::span<const Label> labels) = 0;
  virtual Gauge& gauge(std::string_view name, std::string_view help,
                       std::span<const Label> labels) = 0;
  /// `buckets`: rising upper bounds, in the metric's unit.
  virtual Histogram& histogram(std::string_view name, std::string_view help,
                               std::span<const Label> labels, std::span<const double> buckets) = 0;

 protected:
  ~Metrics() = default;
};

class HostServices {
 public:
  virtual Logger& logger() = 0;
  virtual Clock& clock() = 0;
  virtual Metrics& metrics() = 0;
  /// True once the host began to stop: give up waiting.
  [[nodiscard]] virtual bool stopping() const = 0;

 protected:
  ~HostServices() = default;
};

}  // namespace vouch
