// AppendClient: one keep-alive connection that sends appends and reads the answers, without
// blocking. One thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "load_options.h"

namespace vouch::bench {

class AppendClient {
 public:
  using Time = std::chrono::steady_clock::time_point;

  /// Connects; throws std::system_error. `turn` is the next stream of all clients of a thread.
  AppendClient(const LoadOptions& options, std::uint32_t number, std::uint64_t& turn);
  ~AppendClient();
  AppendClient(const AppendClient&) = delete;
  AppendClient& operator=(const AppendClient&) = delete;

  [[nodiscard]] int descriptor() const { return socket_; }
  [[nodiscard]] bool busy() const { return busy_; }
  /// When the request under way was due (open loop) or sent (closed loop).
  [[nodiscard]] Time since() const { return since_; }

  /// Sends one append. Pre: not busy.
  void send(Time since);

  /// Reads what is there. Returns the status of the answer once it is complete, else 0. Throws when
  /// the connection broke.
  int receive();

 private:
  std::string next_request();
  std::string next_stream();

  const LoadOptions& options_;
  std::uint64_t& turn_;
  int socket_ = -1;
  bool busy_ = false;
  Time since_;
  std::uint64_t random_;
  std::string padding_;
  std::string received_;
};

}  // namespace vouch::bench
