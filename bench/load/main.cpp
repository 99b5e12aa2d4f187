// vouch-load: appends over HTTP on several keep-alive connections, in closed loop (each sends the
// next request when it has its answer) or open loop (requests are due at a fixed rate, and their
// latency counts from when they were due, so that a stall of the server is not hidden by fewer
// requests). Prints one JSON object.
#include <poll.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <map>
#include <memory>
#include <vector>

#include "append_client.h"
#include "feed_watcher.h"
#include "latency_histogram.h"
#include "watcher.h"

namespace vouch::bench {
namespace {

using Time = AppendClient::Time;
using std::chrono::steady_clock;

class Load {
 public:
  explicit Load(const LoadOptions& options) : options_(options) {
    if (!options.consume.empty()) {
      watcher_ = consumer_of(options.consume);
    } else if (options.follow) {
      watcher_ = std::make_unique<FeedWatcher>(options);
    }
    for (std::uint32_t i = 0; i < options.connections; ++i) {
      clients_.push_back(std::make_unique<AppendClient>(options, i, turn_));
    }
  }

  /// Loads for the time that was asked for, or until so many events are answered.
  void run() {
    begin_ = steady_clock::now();
    measure_from_ = begin_ + to_duration(options_.warm_up);
    next_due_ = begin_;
    while (!over()) {
      send_what_is_due();
      wait_and_receive();
      if (!measuring_ && steady_clock::now() >= measure_from_) {
        measuring_ = true;
        if (watcher_) watcher_->sightings().start_measuring();
        seen_before_ = watcher_ ? watcher_->sightings().seen() : 0;
      }
    }
    measured_ = std::chrono::duration<double>(steady_clock::now() - measure_from_).count();
  }

  void print() const {
    std::printf(
        "{\"connections\":%u,\"events_per_request\":%u,\"payload\":%u,\"rate\":%.0f,"
        "\"seconds\":%.1f,\"events_per_second\":%.0f,\"p50_ms\":%.2f,\"p90_ms\":%.2f,"
        "\"p99_ms\":%.2f,\"max_ms\":%.2f",
        options_.connections, options_.events, options_.payload, options_.rate, measured_,
        static_cast<double>(latencies_.count() * of_request()) / measured_,
        latencies_.percentile_ms(0.5), latencies_.percentile_ms(0.9),
        latencies_.percentile_ms(0.99), latencies_.max_ms());
    if (watcher_) {
      const LatencyHistogram seen = watcher_->sightings().latencies();
      std::printf(",\"followed_per_second\":%.0f,\"follow_p50_ms\":%.2f,\"follow_p99_ms\":%.2f",
                  static_cast<double>(watcher_->sightings().seen() - seen_before_) / measured_,
                  seen.percentile_ms(0.5), seen.percentile_ms(0.99));
    }
    std::printf(",\"appended\":%llu", static_cast<unsigned long long>(appended_));
    std::printf(",\"statuses\":{");
    const char* separator = "";
    for (const auto& [status, count] : statuses_) {
      std::printf("%s\"%d\":%llu", separator, status, static_cast<unsigned long long>(count));
      separator = ",";
    }
    std::printf("}}\n");
  }

 private:
  static steady_clock::duration to_duration(double seconds) {
    return std::chrono::duration_cast<steady_clock::duration>(
        std::chrono::duration<double>(seconds));
  }

  [[nodiscard]] std::uint64_t of_request() const {
    return std::uint64_t{options_.events} * options_.writes;
  }

  [[nodiscard]] bool over() const {
    if (options_.count > 0) return answered_ * of_request() >= options_.count;
    return steady_clock::now() >= measure_from_ + to_duration(options_.seconds);
  }

  void send_what_is_due() {
    const Time now = steady_clock::now();
    for (const auto& client : clients_) {
      if (client->busy()) continue;
      if (options_.count > 0 && sent_ * of_request() >= options_.count) return;
      if (options_.rate > 0 && next_due_ > now) return;
      ++sent_;
      if (options_.rate <= 0) {
        client->send(now);
        continue;
      }
      client->send(next_due_);
      next_due_ += to_duration(static_cast<double>(of_request()) / options_.rate);
    }
  }

  void wait_and_receive() {
    polls_.clear();
    polled_.clear();
    for (const auto& client : clients_) {
      if (!client->busy()) continue;
      polls_.push_back({client->descriptor(), POLLIN, 0});
      polled_.push_back(client.get());
    }
    ::poll(polls_.data(), polls_.size(), options_.rate > 0 ? 1 : 100);
    for (std::size_t i = 0; i < polls_.size(); ++i) {
      if (polls_[i].revents == 0) continue;
      const int status = polled_[i]->receive();
      if (status == 0) continue;
      const Time now = steady_clock::now();
      ++answered_;
      if (status == 201) appended_ += of_request();
      if (measuring_) {
        ++statuses_[status];
        if (status == 201) latencies_.add(now - polled_[i]->since());
      }
    }
  }

  const LoadOptions& options_;
  std::unique_ptr<Watcher> watcher_;
  std::uint64_t turn_ = 0;
  std::vector<std::unique_ptr<AppendClient>> clients_;
  std::vector<pollfd> polls_;
  std::vector<AppendClient*> polled_;
  Time begin_;
  Time measure_from_;
  Time next_due_;
  bool measuring_ = false;
  double measured_ = 0;         ///< seconds
  std::uint64_t sent_ = 0;      ///< requests, also while warming up
  std::uint64_t answered_ = 0;  ///< requests, also while warming up
  std::uint64_t seen_before_ = 0;
  std::uint64_t appended_ = 0;  ///< events, also while warming up
  LatencyHistogram latencies_;
  std::map<int, std::uint64_t> statuses_;
};

}  // namespace
}  // namespace vouch::bench

int main(int argc, char** argv) {
  vouch::bench::LoadOptions options;
  CLI::App app("Appends over HTTP and measures; prints one JSON object.");
  app.add_option("--host", options.host, "IPv4 address")->capture_default_str();
  app.add_option("--port", options.port)->capture_default_str();
  app.add_option("--connections", options.connections)->capture_default_str();
  app.add_option("--events", options.events, "events in one request")->capture_default_str();
  app.add_option("--streams", options.streams)->capture_default_str();
  app.add_option("--payload", options.payload, "bytes of data in one event")->capture_default_str();
  app.add_option("--seconds", options.seconds)->capture_default_str();
  app.add_option("--warm-up", options.warm_up, "seconds not counted")->capture_default_str();
  app.add_option("--rate", options.rate, "events a second, open loop; 0: closed loop")
      ->capture_default_str();
  app.add_option("--count", options.count,
                 "events after which it is over, instead of --seconds; with --warm-up 0");
  app.add_option("--writes", options.writes, "streams in one request, each with --events events")
      ->check(CLI::Range(1, 1'000))
      ->capture_default_str();
  app.add_flag("--in-turn", options.in_turn, "streams one after the other, not at random");
  app.add_flag("--follow", options.follow, "measure append-to-follower latency as well");
  app.add_option("--consume", options.consume,
                 "the same for a consumer of kafka://HOST:PORT/TOPIC or mqtt://HOST:PORT/TOPIC");
  CLI11_PARSE(app, argc, argv);
  try {
    vouch::bench::Load load(options);
    load.run();
    load.print();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "vouch-load: %s\n", error.what());
    return 1;
  }
  return 0;
}
