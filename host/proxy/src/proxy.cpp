#include "proxy/proxy.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "proxy_pipe.h"
#include "vouch/thread_name.h"

namespace vouch::proxy {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kLongestPoll{500};
constexpr milliseconds kPatience{3'000};
constexpr int kFlags = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;

Status failed(const char* what) {
  return {StatusCode::unavailable, std::string(what) + ": " + std::strerror(errno)};
}

/// 0 when somebody listens there, or the reason why not, as errno has it.
int connect_error(const addrinfo& address) {
  const FileDescriptor trial(::socket(address.ai_family, kFlags, 0));
  if (trial.get() < 0) return errno;
  if (::connect(trial.get(), address.ai_addr, address.ai_addrlen) == 0) return 0;
  if (errno != EINPROGRESS) return errno;
  pollfd wanted{trial.get(), POLLOUT, 0};
  if (::poll(&wanted, 1, static_cast<int>(kPatience.count())) != 1) return ETIMEDOUT;
  int error = 0;
  socklen_t size = sizeof error;
  return ::getsockopt(trial.get(), SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

using Addresses = std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)>;

Result<Addresses> addresses_of(const std::string& host, std::uint16_t port) {
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &wanted, &found);
  if (error == 0) return Addresses(found, &::freeaddrinfo);
  return Status(StatusCode::unavailable,
                "the address of " + host + " is not known: " + ::gai_strerror(error));
}

}  // namespace

Status Proxy::look_for_server(const std::string& host, std::uint16_t port) {
  const Result<Addresses> found = addresses_of(host, port);
  if (!found.ok()) return found.status();
  int error = 0;
  for (const addrinfo* each = found->get(); each != nullptr; each = each->ai_next) {
    error = connect_error(*each);
    if (error == 0) return {};
  }
  return {StatusCode::unavailable, std::string("can't connect: ") + std::strerror(error)};
}

Result<std::unique_ptr<Proxy>> Proxy::start(const std::string& host, std::uint16_t port,
                                            std::uint16_t own_port) {
  std::unique_ptr<Proxy> proxy(new Proxy);
  const Result<Addresses> found = addresses_of(host, port);
  if (!found.ok()) return found.status();
  // Names such as localhost have several addresses: the first one that answers.
  for (const addrinfo* each = found->get(); each != nullptr; each = each->ai_next) {
    std::memcpy(&proxy->target_, each->ai_addr, each->ai_addrlen);
    proxy->target_size_ = each->ai_addrlen;
    if (connect_error(*each) == 0) break;
  }
  proxy->listener_.reset(::socket(AF_INET, kFlags, 0));
  // Connections that ended a moment ago don't keep a port that was asked for.
  const int reuse = 1;
  ::setsockopt(proxy->listener_.get(), SOL_SOCKET, SO_REUSEADDR, &reuse, sizeof reuse);
  sockaddr_in own{};
  own.sin_family = AF_INET;
  own.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  own.sin_port = htons(own_port);
  socklen_t size = sizeof own;
  auto* const address = reinterpret_cast<sockaddr*>(&own);
  if (proxy->listener_.get() < 0 || ::bind(proxy->listener_.get(), address, size) != 0 ||
      ::listen(proxy->listener_.get(), 128) != 0 ||
      ::getsockname(proxy->listener_.get(), address, &size) != 0) {
    return failed("can't listen for a proxy");
  }
  proxy->port_ = ntohs(own.sin_port);
  int ends[2];
  if (::pipe2(ends, O_NONBLOCK | O_CLOEXEC) != 0) return failed("can't make a pipe");
  proxy->wake_read_.reset(ends[0]);
  proxy->wake_write_.reset(ends[1]);
  proxy->thread_ = std::thread([self = proxy.get()] { self->run(); });
  return proxy;
}

Proxy::~Proxy() {
  over_ = true;
  if (!thread_.joinable()) return;
  wake();
  thread_.join();
}

void Proxy::wake() const {
  const char byte = 0;
  // A full pipe wakes as well.
  [[maybe_unused]] const ssize_t written = ::write(wake_write_.get(), &byte, 1);
}

void Proxy::delay_answers(std::chrono::microseconds time) {
  delay_us_ = time.count();
  wake();
}

void Proxy::cut_all() {
  const std::lock_guard lock(mutex_);
  for (const auto& pipe : pipes_) pipe->reset();
  pipes_.clear();
  wake();
}

void Proxy::half_close_all() {
  const std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < pipes_.size(); ++i) pipes_[i]->half_close(i % 2 == 0);
  wake();
}

std::size_t Proxy::connections() const {
  const std::lock_guard lock(mutex_);
  return pipes_.size();
}

void Proxy::accept_one() {
  FileDescriptor client(::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (client.get() < 0 || refusing_) return;
  FileDescriptor server(::socket(target_.ss_family, kFlags, 0));
  if (server.get() < 0) return;
  const int connected =
      ::connect(server.get(), reinterpret_cast<const sockaddr*>(&target_), target_size_);
  if (connected != 0 && errno != EINPROGRESS) return;
  pipes_.push_back(std::make_unique<ProxyPipe>(std::move(client), std::move(server)));
}

void Proxy::run() {
  name_this_thread("proxy");
  while (!over_) {
    std::vector<pollfd> wanted{{listener_.get(), POLLIN, 0}, {wake_read_.get(), POLLIN, 0}};
    std::vector<const ProxyPipe*> asked;
    milliseconds patience = kLongestPoll;
    const auto mode = [this] {
      return ProxyMode{holding_, losing_, std::chrono::microseconds(delay_us_)};
    };
    {
      const std::lock_guard lock(mutex_);
      const auto now = steady_clock::now();
      for (const auto& pipe : pipes_) {
        asked.push_back(pipe.get());
        wanted.push_back(pipe->client_poll(mode(), now));
        wanted.push_back(pipe->server_poll(mode(), now));
        if (const auto due = pipe->due(); due > now && due < now + patience) {
          patience = std::chrono::ceil<milliseconds>(due - now);
        }
      }
    }
    ::poll(wanted.data(), wanted.size(), static_cast<int>(patience.count()));
    const std::lock_guard lock(mutex_);
    char bytes[256];
    while (::read(wake_read_.get(), bytes, sizeof bytes) > 0) {
    }
    const auto now = steady_clock::now();
    for (std::size_t i = 0; i < asked.size(); ++i) {
      // Somebody may have cut it meanwhile.
      const auto at = std::ranges::find(pipes_, asked[i], &std::unique_ptr<ProxyPipe>::get);
      if (at == pipes_.end()) continue;
      if (!(*at)->move(wanted[2 + 2 * i].revents, wanted[3 + 2 * i].revents, mode(), now)) {
        pipes_.erase(at);
      }
    }
    if ((wanted[0].revents & POLLIN) != 0) accept_one();
  }
}

}  // namespace vouch::proxy
