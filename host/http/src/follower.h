// Follower: one client of the feed: its socket, its bounded output, its place. Owned and used by
// the follow hub's thread alone.
#pragma once

#include <Poco/Net/StreamSocket.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "message.h"

namespace vouch::http {

/// Output that waits for a follower is bounded by this and one piece more (a page of the database,
/// or one event).
inline constexpr std::size_t kFollowerBytes = 256U << 10U;
/// With no more than this waiting, the next page is read.
inline constexpr std::size_t kFollowerLowBytes = 64U << 10U;

class Follower {
 public:
  enum class State : std::uint8_t {
    catching_up,  ///< its next events come from the database
    live,         ///< its next events come from the live feed at `live_index`
  };

  /// `head` is what the client gets first, as it is.
  Follower(std::uint64_t id, const Poco::Net::StreamSocket& socket, FollowStart start,
           std::string head, bool chunked);

  /// Takes text to send, as one chunk if the client knows chunks.
  void append(std::string_view text);
  /// Sends what the socket takes. False when the connection is broken.
  bool flush();
  /// The proper end of the answer, as far as the socket still takes it.
  void end();

  [[nodiscard]] std::size_t waiting() const { return out_.size() - sent_; }
  [[nodiscard]] int descriptor() const { return socket_.impl()->sockfd(); }

  const std::uint64_t id;
  const FollowFormat format;
  const FeedFilter filter;
  Cursor after;  ///< behind everything that was appended
  State state = State::catching_up;
  std::uint64_t live_index = 0;
  bool caught_up_said = false;
  bool job_running = false;
  bool wants_write = false;  ///< as epoll was told
  /// Nothing is read for it before this.
  std::chrono::steady_clock::time_point rest_until{};

 private:
  mutable Poco::Net::StreamSocket socket_;
  bool chunked_;
  std::string out_;
  std::size_t sent_ = 0;
};

}  // namespace vouch::http
