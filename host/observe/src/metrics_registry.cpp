#include "observe/metrics_registry.h"

#include <prometheus/check_names.h>
#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>
#include <mutex>
#include <stdexcept>
#include <utility>

#include "process_metrics.h"

namespace vouch::observe {
namespace {

class CounterAdapter final : public Counter {
 public:
  explicit CounterAdapter(prometheus::Counter& counter) : counter_(counter) {}
  void add(double amount) override {
    if (amount > 0) counter_.Increment(amount);
  }

 private:
  prometheus::Counter& counter_;
};

class GaugeAdapter final : public Gauge {
 public:
  explicit GaugeAdapter(prometheus::Gauge& gauge) : gauge_(gauge) {}
  void set(double value) override { gauge_.Set(value); }
  void add(double amount) override { gauge_.Increment(amount); }

 private:
  prometheus::Gauge& gauge_;
};

class HistogramAdapter final : public Histogram {
 public:
  explicit HistogramAdapter(prometheus::Histogram& histogram) : histogram_(histogram) {}
  void observe(double value) override { histogram_.Observe(value); }

 private:
  prometheus::Histogram& histogram_;
};

[[noreturn]] void refuse(std::string_view name, const std::string& why) {
  throw std::invalid_argument("the metric " + std::string(name) + " " + why);
}

prometheus::Labels checked_labels(std::string_view name, std::span<const Label> labels) {
  prometheus::Labels out;
  for (const Label& label : labels) {
    std::string label_name(label.name);
    if (!prometheus::CheckLabelName(label_name) || label_name == "le") {
      refuse(name, "has an illegal label name: \"" + label_name + "\"");
    }
    if (!out.emplace(std::move(label_name), label.value).second) {
      refuse(name, "has the label " + std::string(label.name) + " twice");
    }
  }
  return out;
}

void check_name(std::string_view name) {
  if (!prometheus::CheckMetricName(std::string(name))) refuse(name, "has an illegal name");
  if (name.starts_with("process_")) refuse(name, "has a name of the process's own metrics");
}

void check_buckets(std::string_view name, std::span<const double> buckets) {
  const bool finite = std::ranges::all_of(buckets, [](double b) { return std::isfinite(b); });
  const bool rising =
      std::ranges::adjacent_find(buckets, std::ranges::greater_equal{}) == buckets.end();
  if (buckets.empty() || !finite || !rising) refuse(name, "needs finite, rising buckets");
}

/// The metrics of one type by name and labels. Not thread-safe.
template <typename Native, typename Adapter>
struct Kind {
  struct Metric {
    prometheus::Family<Native>* family = nullptr;
    std::map<prometheus::Labels, std::unique_ptr<Adapter>> by_labels;
  };
  std::map<std::string, Metric, std::less<>> by_name;

  [[nodiscard]] bool has(std::string_view name) const { return by_name.contains(name); }

  template <typename Builder, typename... Arguments>
  Adapter& get(Builder builder, prometheus::Registry& registry, std::string_view name,
               std::string_view help, prometheus::Labels labels, const Arguments&... arguments) {
    const std::string text(name);
    Metric& metric = by_name[text];
    if (metric.family == nullptr) {
      metric.family = &builder().Name(text).Help(std::string(help)).Register(registry);
    }
    auto& adapter = metric.by_labels[labels];
    if (!adapter) adapter = std::make_unique<Adapter>(metric.family->Add(labels, arguments...));
    return *adapter;
  }
};

}  // namespace

class MetricsRegistry::Impl {
 public:
  Counter& counter(std::string_view name, std::string_view help, std::span<const Label> labels) {
    const std::lock_guard lock(mutex_);
    if (gauges_.has(name) || histograms_.has(name)) refuse(name, "exists with another type");
    return counters_.get(prometheus::BuildCounter, registry_, name, help,
                         checked_labels(name, labels));
  }

  Gauge& gauge(std::string_view name, std::string_view help, std::span<const Label> labels) {
    const std::lock_guard lock(mutex_);
    if (counters_.has(name) || histograms_.has(name)) refuse(name, "exists with another type");
    return gauges_.get(prometheus::BuildGauge, registry_, name, help, checked_labels(name, labels));
  }

  Histogram& histogram(std::string_view name, std::string_view help, std::span<const Label> labels,
                       std::span<const double> buckets) {
    const prometheus::Histogram::BucketBoundaries bounds(buckets.begin(), buckets.end());
    const std::lock_guard lock(mutex_);
    if (counters_.has(name) || gauges_.has(name)) refuse(name, "exists with another type");
    return histograms_.get(prometheus::BuildHistogram, registry_, name, help,
                           checked_labels(name, labels), bounds);
  }

  [[nodiscard]] std::string text() const {
    std::vector<prometheus::MetricFamily> families = registry_.Collect();
    std::ranges::move(process_metrics(), std::back_inserter(families));
    std::ranges::sort(families, {}, &prometheus::MetricFamily::name);
    return prometheus::TextSerializer().Serialize(families);
  }

 private:
  std::mutex mutex_;
  prometheus::Registry registry_;
  Kind<prometheus::Counter, CounterAdapter> counters_;
  Kind<prometheus::Gauge, GaugeAdapter> gauges_;
  Kind<prometheus::Histogram, HistogramAdapter> histograms_;
};

MetricsRegistry::MetricsRegistry() : impl_(std::make_unique<Impl>()) {}
MetricsRegistry::~MetricsRegistry() = default;

Counter& MetricsRegistry::counter(std::string_view name, std::string_view help,
                                  std::span<const Label> labels) {
  check_name(name);
  return impl_->counter(name, help, labels);
}

Gauge& MetricsRegistry::gauge(std::string_view name, std::string_view help,
                              std::span<const Label> labels) {
  check_name(name);
  return impl_->gauge(name, help, labels);
}

Histogram& MetricsRegistry::histogram(std::string_view name, std::string_view help,
                                      std::span<const Label> labels,
                                      std::span<const double> buckets) {
  check_name(name);
  check_buckets(name, buckets);
  return impl_->histogram(name, help, labels, buckets);
}

std::string MetricsRegistry::text() const {
  return impl_->text();
}

}  // namespace vouch::observe
