// Metrics as Prometheus reads them.
#include "observe/metrics_registry.h"

#include <catch2/catch.hpp>
#include <ctime>
#include <fstream>
#include <regex>
#include <stdexcept>
#include <thread>
#include <vector>

namespace vouch::observe {
namespace {

constexpr double kBuckets[] = {0.1, 1, 10};

/// The value behind a name with its labels; NaN if there is none.
double value_of(const std::string& text, const std::string& sample) {
  const auto at = ("\n" + text).find("\n" + sample + " ");
  if (at == std::string::npos) return std::numeric_limits<double>::quiet_NaN();
  return std::stod(text.substr(at + sample.size()));
}

TEST_CASE("counters, gauges and histograms appear with help, type and labels") {
  MetricsRegistry metrics;
  const Label labels[] = {{"lane", "3"}};
  metrics.counter("vouch_appends_total", "Appends.", labels).add(2);
  metrics.gauge("vouch_queue_events", "Waiting.", {}).set(7);
  metrics.gauge("vouch_queue_events", "Waiting.", {}).add(-2);
  metrics.histogram("vouch_append_seconds", "Time.", {}, kBuckets).observe(0.5);
  const std::string text = metrics.text();
  CHECK_THAT(text, Catch::Contains("# HELP vouch_appends_total Appends.\n"
                                   "# TYPE vouch_appends_total counter\n"
                                   "vouch_appends_total{lane=\"3\"} 2\n"));
  CHECK_THAT(text, Catch::Contains("# TYPE vouch_queue_events gauge\nvouch_queue_events 5\n"));
  CHECK_THAT(text, Catch::Contains("# TYPE vouch_append_seconds histogram\n"));
  CHECK(value_of(text, "vouch_append_seconds_count") == 1);
  CHECK(value_of(text, "vouch_append_seconds_sum") == 0.5);
  CHECK(value_of(text, "vouch_append_seconds_bucket{le=\"0.1\"}") == 0);
  CHECK(value_of(text, "vouch_append_seconds_bucket{le=\"1\"}") == 1);
  CHECK(value_of(text, "vouch_append_seconds_bucket{le=\"+Inf\"}") == 1);
}

TEST_CASE("the same name and labels give the same object") {
  MetricsRegistry metrics;
  const Label a[] = {{"x", "1"}, {"y", "2"}};
  const Label b[] = {{"y", "2"}, {"x", "1"}};
  const Label c[] = {{"x", "1"}, {"y", "3"}};
  Counter& first = metrics.counter("vouch_a_total", "A.", a);
  CHECK(&first == &metrics.counter("vouch_a_total", "Another help.", b));
  CHECK(&first != &metrics.counter("vouch_a_total", "A.", c));
  CHECK(&metrics.gauge("vouch_b", "B.", {}) == &metrics.gauge("vouch_b", "B.", {}));
  CHECK(&metrics.histogram("vouch_c", "C.", {}, kBuckets) ==
        &metrics.histogram("vouch_c", "C.", {}, kBuckets));
  const std::string text = metrics.text();
  CHECK(text.find("# TYPE vouch_a_total") == text.rfind("# TYPE vouch_a_total"));
}

TEST_CASE("a counter never falls") {
  MetricsRegistry metrics;
  Counter& counter = metrics.counter("vouch_a_total", "A.", {});
  counter.add(3);
  counter.add(-2);
  CHECK(value_of(metrics.text(), "vouch_a_total") == 3);
}

TEST_CASE("names, labels, types and buckets that Prometheus would refuse are refused") {
  MetricsRegistry metrics;
  const Label bad_label[] = {{"a-b", "1"}};
  const Label twice[] = {{"a", "1"}, {"a", "2"}};
  const Label le[] = {{"le", "1"}};
  const double falling[] = {1, 1};
  CHECK_THROWS_AS(metrics.counter("vouch-a", "A.", {}), std::invalid_argument);
  CHECK_THROWS_AS(metrics.counter("", "A.", {}), std::invalid_argument);
  CHECK_THROWS_AS(metrics.counter("1a", "A.", {}), std::invalid_argument);
  CHECK_THROWS_AS(metrics.counter("process_cpu_seconds_total", "A.", {}), std::invalid_argument);
  CHECK_THROWS_AS(metrics.counter("vouch_a", "A.", bad_label), std::invalid_argument);
  CHECK_THROWS_AS(metrics.counter("vouch_a", "A.", twice), std::invalid_argument);
  CHECK_THROWS_AS(metrics.histogram("vouch_a", "A.", le, kBuckets), std::invalid_argument);
  CHECK_THROWS_AS(metrics.histogram("vouch_a", "A.", {}, falling), std::invalid_argument);
  CHECK_THROWS_AS(metrics.histogram("vouch_a", "A.", {}, {}), std::invalid_argument);
  metrics.gauge("vouch_a", "A.", {});
  CHECK_THROWS_AS(metrics.counter("vouch_a", "A.", {}), std::invalid_argument);
}

TEST_CASE("label values are escaped") {
  MetricsRegistry metrics;
  const Label labels[] = {{"a", "quote \" back \\ line\n"}};
  metrics.counter("vouch_a_total", "A.", labels).increment();
  CHECK_THAT(metrics.text(),
             Catch::Contains("vouch_a_total{a=\"quote \\\" back \\\\ line\\n\"} 1\n"));
}

TEST_CASE("the process is measured at each scrape") {
  MetricsRegistry metrics;
  const std::string before = metrics.text();
  CHECK(value_of(before, "process_resident_memory_bytes") > 1'000'000);
  CHECK(value_of(before, "process_virtual_memory_bytes") >=
        value_of(before, "process_resident_memory_bytes"));
  CHECK(value_of(before, "process_cpu_seconds_total") >= 0);
  CHECK(value_of(before, "process_max_fds") > 3);
  const auto now = static_cast<double>(std::time(nullptr));
  CHECK(value_of(before, "process_start_time_seconds") <= now + 2);
  CHECK(value_of(before, "process_start_time_seconds") > now - 3600);
  const double open_before = value_of(before, "process_open_fds");
  const std::ifstream one("/proc/self/stat");
  CHECK(value_of(metrics.text(), "process_open_fds") == open_before + 1);
}

TEST_CASE("metrics may be made, counted and read by many threads") {
  MetricsRegistry metrics;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&metrics] {
      for (int i = 0; i < 500; ++i) {
        metrics.counter("vouch_a_total", "A.", {}).increment();
        metrics.histogram("vouch_c", "C.", {}, kBuckets).observe(i);
      }
    });
  }
  for (int i = 0; i < 5; ++i) CHECK_FALSE(metrics.text().empty());
  for (std::thread& thread : threads) thread.join();
  CHECK(value_of(metrics.text(), "vouch_a_total") == 2000);
  CHECK(value_of(metrics.text(), "vouch_c_count") == 2000);
}

}  // namespace
}  // namespace vouch::observe
