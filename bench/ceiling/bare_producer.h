// What the ceiling programs of the brokers have in common: their options, the messages, which are
// those that Vouch would publish, and the run: a window of unacknowledged messages that is kept
// full for so many seconds.
#pragma once

#include <CLI/CLI.hpp>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <random>
#include <string>

#include "ceiling_main.h"
#include "latency_histogram.h"

namespace vouch::bench {

struct ProducerOptions {
  std::string broker;
  std::string topic;
  double seconds = 5;
  double warm_up = 1;         ///< seconds that are not counted
  std::uint32_t window = 50;  ///< messages without an acknowledgement
  std::uint32_t streams = 100'000;
  std::uint32_t payload = 256;
};

/// What all of them are asked on the command line. `options` must outlive `app`.
void add_options(CLI::App& app, ProducerOptions& options);

/// A CloudEvent as a host publishes it.
struct BareMessage {
  std::string key;
  std::string value;
};

/// Events of `options.payload` bytes of data on streams at random. One thread.
class Messages {
 public:
  explicit Messages(const ProducerOptions& options);

  BareMessage next();

 private:
  const ProducerOptions& options_;
  const std::string padding_;
  std::mt19937 random_;
  std::uint64_t count_ = 0;
};

/// Sends when there is room in the window. `send(message)` hands over one message; whoever learns
/// of its acknowledgement calls `acknowledged`. Acknowledgements are taken in the order of sending,
/// which is near enough for latencies of brokers that keep it in each partition.
class Window {
 public:
  explicit Window(const ProducerOptions& options) : options_(options) {}

  /// Blocks for the run's whole time and until everything is acknowledged, and prints one JSON
  /// object. `poll`, if any, is called while it waits, on the same thread. Throws
  /// std::runtime_error when nothing is acknowledged for 30 s, or what `refuse` was called with.
  void run(const std::function<void(BareMessage&&)>& send,
           const std::function<void()>& poll = nullptr);

  /// Any thread.
  void acknowledged();
  /// Any thread. Ends the run.
  void refuse(std::string reason);

 private:
  using Clock = std::chrono::steady_clock;

  void wait_below(std::size_t most, const std::function<void()>& poll);
  void print(double took) const;

  const ProducerOptions& options_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Clock::time_point> open_;  ///< when they were sent
  std::string refused_;
  Clock::time_point measure_from_;
  LatencyHistogram latencies_;  ///< of messages that were sent since `measure_from_`
  std::uint64_t measured_ = 0;  ///< acknowledged since then
};

}  // namespace vouch::bench
