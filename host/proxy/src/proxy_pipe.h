// ProxyPipe: one connection through a proxy, both ways. Non-blocking; used under the proxy's lock.
#pragma once

#include <poll.h>

#include <chrono>
#include <cstdint>
#include <deque>
#include <string>

#include "proxy/file_descriptor.h"

namespace vouch::proxy {

/// What a proxy does at the moment.
struct ProxyMode {
  bool holding = false;
  bool losing = false;
  std::chrono::microseconds delay{0};
};

class ProxyPipe {
 public:
  using Time = std::chrono::steady_clock::time_point;

  /// `server` is being connected.
  ProxyPipe(FileDescriptor client, FileDescriptor server);

  /// What to wait for.
  [[nodiscard]] pollfd client_poll(const ProxyMode& mode, Time now) const;
  [[nodiscard]] pollfd server_poll(const ProxyMode& mode, Time now) const;
  /// When something that is held back has to go on; the far future if nothing is.
  [[nodiscard]] Time due() const;
  /// Moves what can be moved. False when the connection is at its end.
  bool move(short client_events, short server_events, const ProxyMode& mode, Time now);

  /// Both sides read a reset instead of an end.
  void reset() const;
  void half_close(bool answers);

 private:
  struct Piece {
    std::string bytes;
    std::size_t passed = 0;
    Time due;
  };
  struct Way {
    std::deque<Piece> pieces;
    std::size_t bytes = 0;
    bool ended = false;  ///< the source said so, or the way was cut off
    bool told = false;   ///< the target knows
  };

  /// False when the connection broke.
  static bool read(Way& way, int from, Time due);
  static bool write(Way& way, int to, Time now);
  [[nodiscard]] static pollfd poll_for(int descriptor, const Way& in, const Way& out,
                                       const ProxyMode& mode, Time now);

  FileDescriptor client_;
  FileDescriptor server_;
  bool connected_ = false;
  Way requests_;
  Way answers_;
};

}  // namespace vouch::proxy
