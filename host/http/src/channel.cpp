#include "channel.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace vouch::http {

bool Channel::wait(short events, TimePoint deadline) const {
  for (;;) {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0) return false;
    pollfd entry{descriptor_, events, 0};
    const int ready =
        ::poll(&entry, 1, static_cast<int>(std::min<std::int64_t>(left.count(), 60'000)));
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return true;  // the next call on it says what is wrong
  }
}

Channel::Outcome Channel::read_some(std::string& buffer, TimePoint deadline) {
  std::array<char, 16'384> bytes;
  for (;;) {
    const ssize_t got = ::recv(descriptor_, bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (got > 0) {
      buffer.append(bytes.data(), static_cast<std::size_t>(got));
      return Outcome::ok;
    }
    if (got == 0) return Outcome::closed;
    if (errno == EINTR) continue;
    if (errno != EAGAIN && errno != EWOULDBLOCK) return Outcome::closed;
    if (!wait(POLLIN, deadline)) return Outcome::timeout;
  }
}

Channel::Outcome Channel::write(std::string_view bytes, std::chrono::milliseconds patience) {
  while (!bytes.empty()) {
    const ssize_t sent =
        ::send(descriptor_, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(sent));
      continue;
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN && errno != EWOULDBLOCK) return Outcome::closed;
    if (!wait(POLLOUT, std::chrono::steady_clock::now() + patience)) return Outcome::timeout;
  }
  return Outcome::ok;
}

void Channel::close_gently(TimePoint deadline) {
  ::shutdown(descriptor_, SHUT_WR);
  std::string discarded;
  while (read_some(discarded, deadline) == Outcome::ok) {
    discarded.clear();
    if (std::chrono::steady_clock::now() >= deadline) return;
  }
}

void Channel::break_on_close() {
  const linger hard{1, 0};
  ::setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
}

}  // namespace vouch::http
