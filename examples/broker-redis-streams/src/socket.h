// Socket: a TCP connection whose calls end by a deadline, or when the broker is closed. One thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

#include "address.h"
#include "vouch/status.h"
#include "wake.h"

namespace broker_redis {

using Deadline = std::chrono::steady_clock::time_point;

class Socket {
 public:
  /// Errors: unavailable in words, cancelled (woken). Asking for the host's address may take longer
  /// than the deadline: the system's resolver has its own.
  static vouch::Result<std::unique_ptr<Socket>> connect(const Address& address, Deadline deadline,
                                                        const Wake& wake);
  ~Socket();
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  /// All of it. Errors: unavailable, timeout, cancelled.
  vouch::Status write(std::string_view bytes, Deadline deadline);
  /// At least one byte. Errors: unavailable (also: closed by the other side), timeout, cancelled.
  vouch::Result<std::size_t> read(std::span<char> buffer, Deadline deadline);

 private:
  Socket(int descriptor, const Wake& wake) : descriptor_(descriptor), wake_(wake) {}
  vouch::Status wait(short events, Deadline deadline);
  vouch::Status finish_connecting(Deadline deadline);

  const int descriptor_;
  const Wake& wake_;
};

}  // namespace broker_redis
