#include "tcp_proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <stdexcept>
#include <string_view>

namespace vouch::tests {
namespace {

sockaddr_in address(const std::string& host, std::uint16_t port) {
  sockaddr_in place{};
  place.sin_family = AF_INET;
  place.sin_port = htons(port);
  const std::string& name = host == "localhost" ? std::string("127.0.0.1") : host;
  if (::inet_pton(AF_INET, name.c_str(), &place.sin_addr) != 1) {
    throw std::runtime_error("the proxy needs an IPv4 address, not " + host);
  }
  return place;
}

bool send_all(int to, const char* data, std::size_t size) {
  while (size > 0) {
    const ssize_t sent = ::send(to, data, size, MSG_NOSIGNAL);
    if (sent <= 0) return false;
    data += sent;
    size -= static_cast<std::size_t>(sent);
  }
  return true;
}

}  // namespace

TcpProxy::TcpProxy(std::string host, std::uint16_t port)
    : host_(std::move(host)), server_port_(port) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in place = address("127.0.0.1", 0);
  socklen_t size = sizeof place;
  auto* const raw = reinterpret_cast<sockaddr*>(&place);
  if (::bind(listener_, raw, size) != 0 || ::listen(listener_, 64) != 0 ||
      ::getsockname(listener_, raw, &size) != 0) {
    ::close(listener_);
    throw std::runtime_error("the proxy can't listen");
  }
  port_ = ntohs(place.sin_port);
  thread_ = std::thread([this] { run(); });
}

TcpProxy::~TcpProxy() {
  stopping_ = true;
  thread_.join();
  cut();
  ::close(listener_);
}

void TcpProxy::cut() {
  const std::lock_guard lock(mutex_);
  for (Link& link : links_) close_link(link);
  links_.clear();
}

void TcpProxy::refuse(bool refused) {
  const std::lock_guard lock(mutex_);
  refused_ = refused;
}

void TcpProxy::silence(bool silent) {
  const std::lock_guard lock(mutex_);
  silent_ = silent;
}

void TcpProxy::cut_at(std::string text, Moment moment) {
  const std::lock_guard lock(mutex_);
  cut_text_ = std::move(text);
  cut_moment_ = moment;
}

std::size_t TcpProxy::connections() const {
  const std::lock_guard lock(mutex_);
  return links_.size();
}

void TcpProxy::run() {
  constexpr int kTickMilliseconds = 5;  // how late a new link or a silence is noticed
  std::vector<pollfd> waits;
  while (!stopping_.load()) {
    waits.assign(1, {listener_, POLLIN, 0});
    {
      const std::lock_guard lock(mutex_);
      if (!silent_) {
        for (const Link& link : links_) {
          waits.push_back({link.client, POLLIN, 0});
          waits.push_back({link.server, POLLIN, 0});
        }
      }
    }
    if (::poll(waits.data(), waits.size(), kTickMilliseconds) <= 0) continue;
    if ((waits[0].revents & POLLIN) != 0) accept_one();
    const std::lock_guard lock(mutex_);
    if (silent_) continue;
    const auto readable = [&](int socket) {
      return std::any_of(waits.begin() + 1, waits.end(), [socket](const pollfd& wait) {
        return wait.fd == socket && wait.revents != 0;
      });
    };
    std::erase_if(links_, [&](Link& link) {
      const bool alive = (!readable(link.client) || pass(link, true)) &&
                         (!readable(link.server) || pass(link, false));
      if (!alive) close_link(link);
      return !alive;
    });
  }
}

void TcpProxy::accept_one() {
  Link link;
  link.client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
  if (link.client < 0) return;
  const std::lock_guard lock(mutex_);
  link.server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in place = address(host_, server_port_);
  const int on = 1;
  ::setsockopt(link.client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  ::setsockopt(link.server, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (refused_ ||
      ::connect(link.server, reinterpret_cast<const sockaddr*>(&place), sizeof place) != 0) {
    close_link(link);
    return;
  }
  links_.push_back(link);
}

bool TcpProxy::pass(Link& link, bool from_client) {
  std::array<char, 65'536> bytes;
  // Never waits: the number of a socket that was cut may belong to a new one by now.
  const ssize_t got =
      ::recv(from_client ? link.client : link.server, bytes.data(), bytes.size(), MSG_DONTWAIT);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return true;
  if (got <= 0) return false;
  const std::string_view text(bytes.data(), static_cast<std::size_t>(got));
  if (from_client && !cut_text_.empty() && text.find(cut_text_) != std::string_view::npos) {
    cut_text_.clear();
    if (cut_moment_ == Moment::before_it_arrives) {
      ++cuts_;
      return false;
    }
    link.answer_is_lost = true;
  }
  if (!from_client && link.answer_is_lost) {
    ++cuts_;
    return false;
  }
  return send_all(from_client ? link.server : link.client, text.data(), text.size());
}

void TcpProxy::close_link(Link& link) {
  if (link.client >= 0) ::close(link.client);
  if (link.server >= 0) ::close(link.server);
  link = {};
}

}  // namespace vouch::tests
