#include "socket.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace broker_redis {

using vouch::Result;
using vouch::Status;
using vouch::StatusCode;

namespace {

Status failed(int error) {
  return Status(StatusCode::unavailable, std::generic_category().message(error));
}

int milliseconds_until(Deadline deadline) {
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
  return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 3'600'000));
}

struct FreeAddresses {
  void operator()(addrinfo* first) const { ::freeaddrinfo(first); }
};

}  // namespace

Result<std::unique_ptr<Socket>> Socket::connect(const Address& address, Deadline deadline,
                                                const Wake& wake) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error = ::getaddrinfo(address.host.c_str(), address.port.c_str(), &hints, &found);
  if (error != 0) {
    return Status(StatusCode::unavailable,
                  "the name is not known: " + std::string(::gai_strerror(error)));
  }
  const std::unique_ptr<addrinfo, FreeAddresses> addresses(found);
  Status status(StatusCode::unavailable, "the name has no address");
  for (const addrinfo* each = found; each != nullptr; each = each->ai_next) {
    const int descriptor =
        ::socket(each->ai_family, each->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (descriptor < 0) {
      status = failed(errno);
      continue;
    }
    std::unique_ptr<Socket> made(new Socket(descriptor, wake));
    const int yes = 1;
    ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
    ::setsockopt(descriptor, SOL_SOCKET, SO_KEEPALIVE, &yes, sizeof(yes));
    if (::connect(descriptor, each->ai_addr, each->ai_addrlen) == 0) return made;
    status = errno == EINPROGRESS ? made->finish_connecting(deadline) : failed(errno);
    if (status.ok()) return made;
    if (status.code() != StatusCode::unavailable) break;
  }
  return status;
}

Socket::~Socket() {
  ::close(descriptor_);
}

Status Socket::finish_connecting(Deadline deadline) {
  if (Status status = wait(POLLOUT, deadline); !status.ok()) return status;
  int error = 0;
  socklen_t size = sizeof(error);
  if (::getsockopt(descriptor_, SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
  return error == 0 ? Status() : failed(error);
}

Status Socket::wait(short events, Deadline deadline) {
  while (true) {
    pollfd waits[] = {{descriptor_, events, 0}, {wake_.descriptor(), POLLIN, 0}};
    const int ready = ::poll(waits, std::size(waits), milliseconds_until(deadline));
    if (ready < 0 && errno != EINTR) return failed(errno);
    if (ready > 0 && waits[1].revents != 0) {
      return Status(StatusCode::cancelled, "the broker was closed");
    }
    if (ready > 0) return {};
    if (std::chrono::steady_clock::now() >= deadline) {
      return Status(StatusCode::timeout, "no answer in time");
    }
  }
}

Status Socket::write(std::string_view bytes, Deadline deadline) {
  while (!bytes.empty()) {
    const ssize_t count = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(count));
      continue;
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN && errno != EWOULDBLOCK) return failed(errno);
    if (Status status = wait(POLLOUT, deadline); !status.ok()) return status;
  }
  return {};
}

Result<std::size_t> Socket::read(std::span<char> buffer, Deadline deadline) {
  while (true) {
    const ssize_t count = ::recv(descriptor_, buffer.data(), buffer.size(), 0);
    if (count > 0) return static_cast<std::size_t>(count);
    if (count == 0) return Status(StatusCode::unavailable, "Redis closed the connection");
    if (errno == EINTR) continue;
    if (errno != EAGAIN && errno != EWOULDBLOCK) return failed(errno);
    if (Status status = wait(POLLIN, deadline); !status.ok()) return status;
  }
}

}  // namespace broker_redis
