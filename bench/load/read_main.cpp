// vouch-read: reads NDJSON from a host on one connection or many, and takes nothing of it apart but
// its lines. Reads to the end of the answer, or to the line that says "caught-up" (a follower's
// catch-up), or for so many seconds (followers of live events). Prints one JSON object.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "sightings.h"

namespace vouch::bench {
namespace {

using Clock = std::chrono::steady_clock;

struct ReadOptions {
  std::uint16_t port = 7070;
  std::string path = "/v1/feed?after=start";
  std::uint32_t connections = 1;
  std::uint64_t most = 0;  ///< events of one connection after which it is over; 0: all
  double seconds = 0;      ///< 0: to the end, or until caught up
  double warm_up = 0;      ///< seconds that are not counted
  double timeout = 600;    ///< seconds
};

/// One answer that is read. Chunk sizes and heads stand on lines of their own, which no event's
/// line resembles. One thread.
class Reading {
 public:
  Reading(const ReadOptions& options, Sightings* live) : live_(live) {
    socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(options.port);
    ::inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      throw std::system_error(errno, std::generic_category(), "connect");
    }
    const std::string request = "GET " + options.path +
                                " HTTP/1.1\r\nHost: bench\r\nAccept: application/x-ndjson\r\n"
                                "Connection: close\r\n\r\n";
    if (::send(socket_, request.data(), request.size(), MSG_NOSIGNAL) !=
        static_cast<ssize_t>(request.size())) {
      throw std::system_error(errno, std::generic_category(), "send");
    }
  }
  ~Reading() { ::close(socket_); }
  Reading(const Reading&) = delete;
  Reading& operator=(const Reading&) = delete;

  [[nodiscard]] int descriptor() const { return socket_; }
  [[nodiscard]] bool ended() const { return ended_; }
  /// Its last chunk came: it did not just break off.
  [[nodiscard]] bool whole() const { return whole_; }
  [[nodiscard]] bool caught_up() const { return caught_up_; }
  [[nodiscard]] std::uint64_t events() const { return events_; }
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

  /// Pre: there is something to receive, or the end.
  void receive(std::string& buffer) {
    const ssize_t n = ::recv(socket_, buffer.data(), buffer.size(), 0);
    if (n < 0 && errno == EINTR) return;
    if (n <= 0) {
      ended_ = true;
      return;
    }
    bytes_ += static_cast<std::uint64_t>(n);
    std::string_view text(buffer.data(), static_cast<std::size_t>(n));
    if (!rest_.empty()) {
      const std::size_t end = text.find('\n');
      rest_ += text.substr(0, end == std::string_view::npos ? end : end + 1);
      if (end == std::string_view::npos) return;
      take(std::string_view(rest_).substr(0, rest_.size() - 1));
      rest_.clear();
      text.remove_prefix(end + 1);
    }
    for (std::size_t end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
      take(text.substr(0, end));
      text.remove_prefix(end + 1);
    }
    rest_ = text;
  }

 private:
  void take(std::string_view line) {
    static constexpr std::string_view kStatus = "HTTP/1.1 ";
    if (line.starts_with(kStatus) && !line.starts_with("HTTP/1.1 200")) {
      throw std::runtime_error("the host answers " + std::string(line.substr(kStatus.size(), 3)));
    }
    if (line == "0\r") whole_ = true;
    if (line.starts_with(R"({"kind":"caught-up")")) caught_up_ = true;
    if (line.starts_with(R"({"kind":"event")") || line.starts_with(R"({"id":")")) {
      ++events_;
      if (live_ != nullptr) live_->saw(line);
    }
  }

  Sightings* const live_;
  int socket_ = -1;
  bool ended_ = false;
  bool whole_ = false;
  bool caught_up_ = false;
  std::uint64_t events_ = 0;
  std::uint64_t bytes_ = 0;
  std::string rest_;
};

class Readers {
 public:
  explicit Readers(const ReadOptions& options) : options_(options) {
    for (std::uint32_t i = 0; i < options.connections; ++i) {
      readings_.push_back(
          std::make_unique<Reading>(options, options.seconds > 0 ? &live_ : nullptr));
    }
  }

  void run() {
    const Clock::time_point begin = Clock::now();
    const bool by_time = options_.seconds > 0;
    const double most = by_time ? options_.warm_up + options_.seconds : options_.timeout;
    bool measuring = !by_time || options_.warm_up <= 0;
    double from = 0;
    double now = 0;
    std::uint64_t before = 0;
    while (now < most && (by_time || open() > 0)) {
      receive();
      now = std::chrono::duration<double>(Clock::now() - begin).count();
      if (!measuring && now >= options_.warm_up) {
        measuring = true;
        live_.start_measuring();
        from = now;
        before = total(&Reading::events);
      }
    }
    if (!by_time && open() > 0) throw std::runtime_error("not at the end within the time-out");
    for (const auto& reading : readings_) {
      if (reading->ended() && !reading->whole()) throw std::runtime_error("an answer broke off");
    }
    print(now - from, total(&Reading::events) - before);
  }

 private:
  [[nodiscard]] bool over(const Reading& reading) const {
    return reading.ended() ||
           (options_.seconds <= 0 &&
            (reading.caught_up() || (options_.most > 0 && reading.events() >= options_.most)));
  }

  [[nodiscard]] std::size_t open() const {
    std::size_t count = 0;
    for (const auto& reading : readings_) {
      if (!over(*reading)) ++count;
    }
    return count;
  }

  void receive() {
    polls_.clear();
    polled_.clear();
    for (const auto& reading : readings_) {
      if (over(*reading)) continue;
      polls_.push_back({reading->descriptor(), POLLIN, 0});
      polled_.push_back(reading.get());
    }
    if (polls_.empty()) throw std::runtime_error("the host ended every answer");
    ::poll(polls_.data(), polls_.size(), 100);
    for (std::size_t i = 0; i < polls_.size(); ++i) {
      if (polls_[i].revents != 0) polled_[i]->receive(buffer_);
    }
  }

  std::uint64_t total(std::uint64_t (Reading::*of)() const) const {
    std::uint64_t sum = 0;
    for (const auto& reading : readings_) sum += (reading.get()->*of)();
    return sum;
  }

  void print(double took, std::uint64_t events) const {
    const LatencyHistogram seen = live_.latencies();
    std::printf(
        "{\"connections\":%u,\"seconds\":%.3f,\"events\":%llu,\"bytes\":%llu,"
        "\"events_per_second\":%.0f,\"follow_p50_ms\":%.2f,\"follow_p99_ms\":%.2f}\n",
        options_.connections, took, static_cast<unsigned long long>(events),
        static_cast<unsigned long long>(total(&Reading::bytes)), static_cast<double>(events) / took,
        seen.percentile_ms(0.5), seen.percentile_ms(0.99));
  }

  const ReadOptions& options_;
  Sightings live_;
  std::vector<std::unique_ptr<Reading>> readings_;
  std::vector<pollfd> polls_;
  std::vector<Reading*> polled_;
  std::string buffer_ = std::string(1U << 18U, '\0');
};

}  // namespace
}  // namespace vouch::bench

int main(int argc, char** argv) {
  vouch::bench::ReadOptions options;
  CLI::App app("Reads NDJSON from a host and counts events; prints one JSON object.");
  app.add_option("--port", options.port)->capture_default_str();
  app.add_option("--path", options.path)->capture_default_str();
  app.add_option("--connections", options.connections)->capture_default_str();
  app.add_option("--most", options.most, "events after which a connection is closed; 0: all")
      ->capture_default_str();
  app.add_option("--seconds", options.seconds,
                 "follow so long; 0: to the end of the answer, or until it is caught up")
      ->capture_default_str();
  app.add_option("--warm-up", options.warm_up, "seconds not counted")->capture_default_str();
  app.add_option("--timeout", options.timeout, "seconds")->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  try {
    vouch::bench::Readers readers(options);
    readers.run();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "vouch-read: %s\n", error.what());
    return 1;
  }
  return 0;
}
