// Follower: follows the feed from the first event ever on, over connections to changing hosts; when
// one breaks it goes on from its cursor. Has a thread of its own between `start` and `finish`.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <thread>

#include "host_addresses.h"
#include "prove/history.h"
#include "seeded_random.h"

namespace vouch::prove {

class Follower {
 public:
  /// `hosts` must outlive it.
  Follower(const HostAddresses& hosts, std::string name, std::uint64_t seed);
  ~Follower();

  void start();
  void finish();
  /// How many events it has seen. Any thread.
  [[nodiscard]] std::uint64_t count() const { return count_; }
  /// Connections that it had. Pre: finished.
  [[nodiscard]] std::uint64_t connections() const { return connections_; }
  /// Pre: finished.
  [[nodiscard]] Followed& followed() { return followed_; }

 private:
  void work();
  bool take(std::string_view line);

  const HostAddresses& hosts_;
  SeededRandom random_;
  Followed followed_;
  std::string cursor_ = "start";
  std::uint64_t connections_ = 0;
  std::uint64_t on_this_connection_ = 0;
  std::uint64_t most_on_a_connection_ = 0;
  std::atomic<std::uint64_t> count_{0};
  std::atomic<bool> over_{false};
  std::thread thread_;
};

/// An event of the HTTP API. Its version is 0 if it can't be read.
EventSeen event_of(std::string_view json);

}  // namespace vouch::prove
