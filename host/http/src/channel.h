// Channel: bytes in and out of a connected socket, every call with a deadline. Poco's own streams
// have a time-out for each read only, which a client that sends a byte now and then never meets; so
// reading and writing go to the descriptor. One thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace vouch::http {

class Channel {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;
  enum class Outcome : std::uint8_t { ok, closed, timeout };

  /// The descriptor stays the caller's.
  explicit Channel(int descriptor) : descriptor_(descriptor) {}

  /// Appends what has arrived to `buffer`, at least a byte. `closed` also when the connection
  /// broke.
  Outcome read_some(std::string& buffer, TimePoint deadline);

  /// Writes all. Gives up when the peer takes nothing for as long as `patience`.
  Outcome write(std::string_view bytes, std::chrono::milliseconds patience);

  /// Ends our side, then takes what is still coming until the peer ends its own or `deadline`: a
  /// socket closed over unread bytes would be reset, and the peer might lose the answer.
  void close_gently(TimePoint deadline);

  /// The peer sees a broken connection when the socket is closed, never a proper end.
  void break_on_close();

  [[nodiscard]] int descriptor() const { return descriptor_; }

 private:
  /// False when the deadline passed first.
  [[nodiscard]] bool wait(short events, TimePoint deadline) const;

  int descriptor_;
};

}  // namespace vouch::http
