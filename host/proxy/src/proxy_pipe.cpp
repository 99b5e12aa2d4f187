#include "proxy_pipe.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>

namespace vouch::proxy {
namespace {

constexpr std::size_t kMostHeldBack = std::size_t{4} << 20U;  ///< in each direction
constexpr std::size_t kPiece = 65'536;

bool try_again() {
  return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

void no_delay(int descriptor) {
  const int on = 1;
  ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

}  // namespace

ProxyPipe::ProxyPipe(FileDescriptor client, FileDescriptor server)
    : client_(std::move(client)), server_(std::move(server)) {
  no_delay(client_.get());
  no_delay(server_.get());
}

pollfd ProxyPipe::poll_for(int descriptor, const Way& in, const Way& out, const ProxyMode& mode,
                           Time now) {
  pollfd wanted{descriptor, 0, 0};
  // Nothing is waited for while all stands still: poll would tell of it again and again.
  if (mode.holding) wanted.fd = -1;
  if (!in.ended && in.bytes < kMostHeldBack) wanted.events |= POLLIN;
  if (!out.pieces.empty() && out.pieces.front().due <= now) wanted.events |= POLLOUT;
  if (in.ended && out.pieces.empty()) wanted.fd = -1;
  return wanted;
}

pollfd ProxyPipe::client_poll(const ProxyMode& mode, Time now) const {
  return poll_for(client_.get(), requests_, answers_, mode, now);
}

pollfd ProxyPipe::server_poll(const ProxyMode& mode, Time now) const {
  if (!connected_) return {server_.get(), POLLOUT, 0};
  return poll_for(server_.get(), answers_, requests_, mode, now);
}

ProxyPipe::Time ProxyPipe::due() const {
  Time first = Time::max();
  for (const Way* way : {&requests_, &answers_}) {
    if (!way->pieces.empty()) first = std::min(first, way->pieces.front().due);
  }
  return first;
}

bool ProxyPipe::read(Way& way, int from, Time due) {
  char buffer[kPiece];
  const ssize_t n = ::recv(from, buffer, sizeof buffer, 0);
  if (n < 0) return try_again();
  if (n == 0) {
    way.ended = true;
    return true;
  }
  way.pieces.push_back({std::string(buffer, static_cast<std::size_t>(n)), 0, due});
  way.bytes += static_cast<std::size_t>(n);
  return true;
}

bool ProxyPipe::write(Way& way, int to, Time now) {
  while (!way.pieces.empty() && way.pieces.front().due <= now) {
    Piece& piece = way.pieces.front();
    const ssize_t n = ::send(to, piece.bytes.data() + piece.passed,
                             piece.bytes.size() - piece.passed, MSG_NOSIGNAL);
    if (n < 0) return try_again();
    piece.passed += static_cast<std::size_t>(n);
    way.bytes -= static_cast<std::size_t>(n);
    if (piece.passed < piece.bytes.size()) return true;
    way.pieces.pop_front();
  }
  if (way.ended && way.pieces.empty() && !way.told) {
    way.told = true;
    ::shutdown(to, SHUT_WR);
  }
  return true;
}

bool ProxyPipe::move(short client_events, short server_events, const ProxyMode& mode, Time now) {
  if (!connected_) {
    if ((server_events & (POLLOUT | POLLERR | POLLHUP)) == 0) return true;
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(server_.get(), SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) return false;
    connected_ = true;
  }
  if (mode.holding) return true;
  if (((client_events | server_events) & POLLERR) != 0) return false;
  constexpr short kReadable = POLLIN | POLLHUP;
  if (!requests_.ended && (client_events & kReadable) != 0 &&
      !read(requests_, client_.get(), now)) {
    return false;
  }
  if (!answers_.ended && (server_events & kReadable) != 0) {
    const std::size_t before = answers_.pieces.size();
    if (!read(answers_, server_.get(), now + mode.delay)) return false;
    if (mode.losing && answers_.pieces.size() > before) {
      reset();
      return false;
    }
  }
  if (!write(requests_, server_.get(), now) || !write(answers_, client_.get(), now)) return false;
  return !(requests_.told && answers_.told);
}

void ProxyPipe::reset() const {
  const linger hard{1, 0};
  for (const int descriptor : {client_.get(), server_.get()}) {
    ::setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  }
}

void ProxyPipe::half_close(bool answers) {
  Way& way = answers ? answers_ : requests_;
  way.pieces.clear();
  way.bytes = 0;
  way.ended = true;
}

}  // namespace vouch::proxy
