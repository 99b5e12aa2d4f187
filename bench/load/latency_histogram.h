// LatencyHistogram: latencies by percentile, with a relative error below 1.6 %, in fixed memory:
// 64 linear buckets for each power of two of microseconds (the scheme of HdrHistogram). One thread.
#pragma once

#include <array>
#include <bit>
#include <chrono>
#include <cstdint>

namespace vouch::bench {

class LatencyHistogram {
 public:
  void add(std::chrono::nanoseconds latency) {
    const auto micros =
        static_cast<std::uint64_t>(latency.count() > 0 ? latency.count() / 1'000 : 0);
    ++counts_[index(micros)];
    ++total_;
    if (micros > max_) max_ = micros;
  }

  [[nodiscard]] std::uint64_t count() const { return total_; }
  [[nodiscard]] double max_ms() const { return static_cast<double>(max_) / 1e3; }

  /// The latency that `share` (0 to 1) of all stayed at or below, in milliseconds; 0 without any.
  [[nodiscard]] double percentile_ms(double share) const {
    const auto wanted = static_cast<std::uint64_t>(share * static_cast<double>(total_) + 0.5);
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      seen += counts_[i];
      if (seen >= wanted && seen > 0) return static_cast<double>(highest(i)) / 1e3;
    }
    return 0;
  }

 private:
  static constexpr std::uint64_t kLinear = 64;

  static std::size_t index(std::uint64_t micros) {
    if (micros < kLinear) return micros;
    const auto power =
        static_cast<std::uint64_t>(std::bit_width(micros)) - 6;  // of the bucket's width
    const std::uint64_t at = power * kLinear / 2 + (micros >> power);
    return at < std::tuple_size_v<decltype(counts_)> ? at
                                                     : std::tuple_size_v<decltype(counts_)> - 1;
  }

  static std::uint64_t highest(std::size_t at) {
    if (at < kLinear) return at;
    const std::uint64_t power = (at - kLinear / 2) / (kLinear / 2);
    const std::uint64_t place = at - power * kLinear / 2;
    return ((place + 1) << power) - 1;
  }

  std::array<std::uint64_t, 64 + 32 * 40> counts_{};
  std::uint64_t total_ = 0;
  std::uint64_t max_ = 0;
};

}  // namespace vouch::bench
