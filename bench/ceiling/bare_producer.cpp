#include "bare_producer.h"

#include <cstdio>
#include <stdexcept>
#include <utility>

#include "sightings.h"

namespace vouch::bench {
namespace {

constexpr std::size_t kFrame = 34;  // {"sent":1234567890123456,"pad":"…"}
constexpr std::chrono::seconds kPatience{30};

}  // namespace

void add_options(CLI::App& app, ProducerOptions& options) {
  app.add_option("--broker", options.broker, "HOST:PORT")->required();
  app.add_option("--topic", options.topic)->required();
  app.add_option("--seconds", options.seconds)->capture_default_str();
  app.add_option("--warm-up", options.warm_up, "seconds not counted")->capture_default_str();
  app.add_option("--window", options.window, "messages without an acknowledgement")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  app.add_option("--streams", options.streams)->capture_default_str();
  app.add_option("--payload", options.payload, "bytes of data in one event")
      ->check(CLI::Range(34, 1 << 20))
      ->capture_default_str();
}

Messages::Messages(const ProducerOptions& options)
    : options_(options), padding_(options.payload - kFrame, 'x'), random_(1) {}

BareMessage Messages::next() {
  BareMessage message;
  message.key = "account-" + std::to_string(random_() % options_.streams);
  char id[48];
  std::snprintf(id, sizeof id, "3MW6rIQ3uCd1Y%014llu", static_cast<unsigned long long>(++count_));
  message.value = std::string(R"({"id":")") + id + R"(","source":"/bench/)" + message.key +
                  R"(","specversion":"1.0","type":"deposited",)"
                  R"("time":"2026-11-23T17:16:13.922261Z","datacontenttype":"application/json",)"
                  R"("subject":")" +
                  message.key + R"(","partitionkey":")" + message.key +
                  R"(","sequence":"0000000000000001","data":{"sent":)" +
                  std::to_string(now_micros()) + R"(,"pad":")" + padding_ + "\"}}";
  return message;
}

void Window::run(const std::function<void(BareMessage&&)>& send,
                 const std::function<void()>& poll) {
  const auto time_of = [](double seconds) {
    return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  };
  Messages messages(options_);
  const Clock::time_point begin = Clock::now();
  const Clock::time_point end = begin + time_of(options_.warm_up + options_.seconds);
  {
    const std::lock_guard lock(mutex_);
    measure_from_ = begin + time_of(options_.warm_up);
  }
  while (Clock::now() < end) {
    wait_below(options_.window, poll);
    {
      const std::lock_guard lock(mutex_);
      open_.push_back(Clock::now());
    }
    send(messages.next());
  }
  // Counted up to here; what is still open is no part of it.
  std::uint64_t counted = 0;
  {
    const std::lock_guard lock(mutex_);
    counted = measured_;
  }
  const double took = std::chrono::duration<double>(Clock::now() - measure_from_).count();
  wait_below(1, poll);
  measured_ = counted;
  print(took);
}

void Window::acknowledged() {
  const Clock::time_point now = Clock::now();
  {
    const std::lock_guard lock(mutex_);
    if (open_.empty()) return;
    if (now >= measure_from_) ++measured_;
    if (open_.front() >= measure_from_) latencies_.add(now - open_.front());
    open_.pop_front();
  }
  changed_.notify_one();
}

void Window::refuse(std::string reason) {
  {
    const std::lock_guard lock(mutex_);
    refused_ = std::move(reason);
  }
  changed_.notify_one();
}

void Window::wait_below(std::size_t most, const std::function<void()>& poll) {
  const Clock::time_point until = Clock::now() + kPatience;
  while (true) {
    {
      std::unique_lock lock(mutex_);
      const auto ready = [&] { return open_.size() < most || !refused_.empty(); };
      if (!poll) changed_.wait_until(lock, until, ready);
      if (!refused_.empty()) throw std::runtime_error(refused_);
      if (open_.size() < most) return;
    }
    if (Clock::now() >= until) throw std::runtime_error("the broker acknowledges nothing");
    if (poll) poll();
  }
}

void Window::print(double took) const {
  std::printf(
      "{\"writer\":\"bare\",\"window\":%u,\"payload\":%u,\"seconds\":%.1f,"
      "\"events_per_second\":%.0f,\"p50_ms\":%.3f,\"p99_ms\":%.3f}\n",
      options_.window, options_.payload, took, static_cast<double>(measured_) / took,
      latencies_.percentile_ms(0.5), latencies_.percentile_ms(0.99));
}

}  // namespace vouch::bench
