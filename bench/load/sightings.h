// Sightings: what a consumer has seen of the load: how much, and how long after its "sent" stamp.
// Any thread.
#pragma once

#include <atomic>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <string_view>

#include "latency_histogram.h"

namespace vouch::bench {

/// The clock of "sent" stamps: microseconds of the machine's steady clock, so that generator and
/// consumer may be different programs on one machine.
inline std::int64_t now_micros() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

class Sightings {
 public:
  /// Counts one event; `text` holds `"sent":MICROSECONDS` somewhere.
  void saw(std::string_view text) {
    ++seen_;
    static constexpr std::string_view kSent = R"("sent":)";
    const std::size_t at = text.find(kSent);
    if (at == std::string_view::npos) return;
    std::int64_t sent = 0;
    std::from_chars(text.data() + at + kSent.size(), text.data() + text.size(), sent);
    const std::lock_guard lock(mutex_);
    latencies_.add(std::chrono::microseconds(now_micros() - sent));
  }

  [[nodiscard]] std::uint64_t seen() const { return seen_.load(); }
  /// Forgets the latencies so far.
  void start_measuring() {
    const std::lock_guard lock(mutex_);
    latencies_ = LatencyHistogram();
  }
  [[nodiscard]] LatencyHistogram latencies() const {
    const std::lock_guard lock(mutex_);
    return latencies_;
  }

 private:
  std::atomic<std::uint64_t> seen_{0};
  mutable std::mutex mutex_;
  LatencyHistogram latencies_;
};

}  // namespace vouch::bench
