// TestServices and make_settings; see the header. [any-thread]
#include "vouch/testkit/test_services.h"

#include <atomic>
#include <chrono>
#include <map>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <utility>

namespace vouch::testkit {
namespace {

std::string_view name_of(LogLevel level) {
  switch (level) {
    case LogLevel::trace:
      return "trace";
    case LogLevel::debug:
      return "debug";
    case LogLevel::info:
      return "info";
    case LogLevel::warning:
      return "warning";
    case LogLevel::error:
      return "error";
  }
  return "unknown";
}

class RememberingLogger final : public Logger {
 public:
  [[nodiscard]] bool enabled(LogLevel /*level*/) const override { return true; }
  void log(LogLevel level, std::string_view message, std::span<const LogField> fields) override {
    std::string line(name_of(level));
    line.append(": ").append(message);
    for (const LogField& field : fields) {
      line.append(" ").append(field.key).append("=").append(field.value);
    }
    const std::lock_guard lock(mutex_);
    lines_.push_back(std::move(line));
  }
  [[nodiscard]] std::vector<std::string> lines() const {
    const std::lock_guard lock(mutex_);
    return lines_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> lines_;
};

class SettableClock final : public Clock {
 public:
  [[nodiscard]] Timestamp now() const override {
    const std::lock_guard lock(mutex_);
    if (stands_at_) return *stands_at_;
    const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
    return {std::chrono::duration_cast<std::chrono::microseconds>(since_epoch).count()};
  }
  [[nodiscard]] std::chrono::steady_clock::time_point steady() const override {
    return std::chrono::steady_clock::now();
  }
  void set(Timestamp time) {
    const std::lock_guard lock(mutex_);
    stands_at_ = time;
  }

 private:
  mutable std::mutex mutex_;
  std::optional<Timestamp> stands_at_;
};

class Value final : public Counter, public Gauge, public Histogram {
 public:
  void add(double amount) override { change(amount); }
  void set(double value) override { value_.store(value); }
  void observe(double /*value*/) override { change(1); }
  [[nodiscard]] double value() const { return value_.load(); }

 private:
  void change(double amount) {
    double before = value_.load();
    while (!value_.compare_exchange_weak(before, before + amount)) {
    }
  }
  std::atomic<double> value_{0};
};

class KeptMetrics final : public Metrics {
 public:
  Counter& counter(std::string_view name, std::string_view /*help*/,
                   std::span<const Label> labels) override {
    return value(name, labels);
  }
  Gauge& gauge(std::string_view name, std::string_view /*help*/,
               std::span<const Label> labels) override {
    return value(name, labels);
  }
  Histogram& histogram(std::string_view name, std::string_view /*help*/,
                       std::span<const Label> labels,
                       std::span<const double> /*buckets*/) override {
    return value(name, labels);
  }
  [[nodiscard]] double sum(const std::string& name) const {
    const std::lock_guard lock(mutex_);
    double sum = 0;
    const auto found = values_.find(name);
    if (found == values_.end()) return sum;
    for (const auto& [labels, value] : found->second) sum += value.value();
    return sum;
  }

 private:
  Value& value(std::string_view name, std::span<const Label> labels) {
    std::map<std::string, std::string> sorted;
    for (const Label& label : labels) sorted.emplace(label.name, label.value);
    const std::lock_guard lock(mutex_);
    return values_[std::string(name)][std::move(sorted)];
  }

  mutable std::mutex mutex_;
  std::map<std::string, std::map<std::map<std::string, std::string>, Value>> values_;
};

}  // namespace

class TestServices::Impl {
 public:
  RememberingLogger logger;
  SettableClock clock;
  KeptMetrics metrics;
  std::atomic<bool> stopping{false};
};

TestServices::TestServices() : impl_(std::make_unique<Impl>()) {}
TestServices::~TestServices() = default;

Logger& TestServices::logger() {
  return impl_->logger;
}
Clock& TestServices::clock() {
  return impl_->clock;
}
Metrics& TestServices::metrics() {
  return impl_->metrics;
}
bool TestServices::stopping() const {
  return impl_->stopping.load();
}
void TestServices::set_stopping(bool stopping) {
  impl_->stopping.store(stopping);
}
void TestServices::set_now(Timestamp time) {
  impl_->clock.set(time);
}
std::vector<std::string> TestServices::log_lines() const {
  return impl_->logger.lines();
}
double TestServices::metric(const std::string& name) const {
  return impl_->metrics.sum(name);
}

values::SettingValues make_settings(std::span<const SettingSpec> table,
                                    std::vector<values::GivenSetting> given) {
  std::vector<values::SettingProblem> problems;
  values::SettingValues made = values::SettingValues::make(table, std::move(given), problems);
  if (problems.empty()) return made;
  std::string all;
  for (const values::SettingProblem& problem : problems) {
    if (!all.empty()) all.append("; ");
    all.append(problem.key).append(": ").append(problem.message);
  }
  throw std::invalid_argument(all);
}

}  // namespace vouch::testkit
