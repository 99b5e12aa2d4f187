// RequestReader: takes requests off one connection, one after the other, each bounded in time and
// size whatever its Content-Length says. One thread.
#pragma once

#include <optional>
#include <string>

#include "channel.h"
#include "message.h"
#include "request_head.h"

namespace vouch::http {

class RequestReader {
 public:
  using TimePoint = Channel::TimePoint;

  /// `channel` must outlive it.
  explicit RequestReader(Channel& channel) : channel_(channel) {}

  /// Waits for the first byte of a request; false when the peer is gone or the time is over.
  bool wait_for_request(TimePoint deadline);

  /// The next head; nothing when the peer is gone. Rejects what is malformed, too large (431) or
  /// not there in time (408).
  std::optional<Request> read_head(TimePoint deadline);

  /// The body; nothing when the peer is gone. Rejects what is malformed, over `limit` bytes (413)
  /// or not there in time (408).
  std::optional<std::string> read_body(const Framing& framing, std::uint64_t limit,
                                       TimePoint deadline);

  /// Bytes of the body, or of a next request, are here already.
  [[nodiscard]] bool has_bytes() const { return !buffer_.empty(); }

 private:
  /// False when the peer is gone.
  bool read_more(TimePoint deadline);
  std::optional<std::string> read_chunks(std::uint64_t limit, TimePoint deadline);
  /// A line without its end; nothing when the peer is gone.
  std::optional<std::string> read_line(TimePoint deadline);

  Channel& channel_;
  std::string buffer_;
};

}  // namespace vouch::http
