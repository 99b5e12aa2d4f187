// FeedWatcher: follows the feed as NDJSON on a thread of its own, counts what it sees, and measures
// the time from an event's "sent" stamp to its sight.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>

#include "latency_histogram.h"
#include "load_options.h"

namespace vouch::bench {

class FeedWatcher {
 public:
  /// Connects and waits until the feed is live. Throws std::runtime_error.
  explicit FeedWatcher(const LoadOptions& options);
  ~FeedWatcher();
  FeedWatcher(const FeedWatcher&) = delete;
  FeedWatcher& operator=(const FeedWatcher&) = delete;

  [[nodiscard]] std::uint64_t seen() const { return seen_.load(); }
  /// Forgets the latencies so far.
  void start_measuring();
  [[nodiscard]] LatencyHistogram latencies() const;

 private:
  void run();
  void take_lines(std::string& text);

  int socket_ = -1;
  std::atomic<bool> live_{false};
  std::atomic<std::uint64_t> seen_{0};
  mutable std::mutex mutex_;
  LatencyHistogram latencies_;
  std::thread thread_;
};

}  // namespace vouch::bench
