#include "append_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <stdexcept>
#include <string_view>
#include <system_error>

#include "sightings.h"

namespace vouch::bench {
namespace {

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

}  // namespace

AppendClient::AppendClient(const LoadOptions& options, std::uint32_t number, std::uint64_t& turn)
    : options_(options), turn_(turn), random_(0x9e3779b97f4a7c15ULL * (number + 1)) {
  socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket_ < 0) fail("socket");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(options.port);
  if (::inet_pton(AF_INET, options.host.c_str(), &address.sin_addr) != 1) {
    throw std::invalid_argument("not an IPv4 address: " + options.host);
  }
  if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    fail("connect");
  }
  const int on = 1;
  ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  // {"sent":1234567890123456,"pad":"…"}
  constexpr std::size_t kFrame = 34;
  padding_.assign(options.payload > kFrame ? options.payload - kFrame : 0, 'x');
}

AppendClient::~AppendClient() {
  if (socket_ >= 0) ::close(socket_);
}

std::string AppendClient::next_stream() {
  random_ = random_ * 6364136223846793005ULL + 1442695040888963407ULL;
  const std::uint64_t number = options_.in_turn ? turn_++ : random_ >> 33U;
  return "account-" + std::to_string(number % options_.streams);
}

std::string AppendClient::next_request() {
  const std::string event = R"({"type":"deposited","data":{"sent":)" +
                            std::to_string(now_micros()) + R"(,"pad":")" + padding_ + R"("}})";
  std::string events = event;
  if (options_.events > 1 || options_.writes > 1) {
    events = "[" + event;
    for (std::uint32_t i = 1; i < options_.events; ++i) events += "," + event;
    events += "]";
  }
  std::string path = "/v1/append";
  std::string body;
  if (options_.writes == 1) {
    path = "/v1/streams/" + next_stream() + "/events";
    body = std::move(events);
  } else {
    body = R"({"writes":[)";
    for (std::uint32_t i = 0; i < options_.writes; ++i) {
      if (i > 0) body += ',';
      body += R"({"stream":")" + next_stream() + R"(","events":)" + events + "}";
    }
    body += "]}";
  }
  return "POST " + path +
         " HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + body;
}

void AppendClient::send(Time since) {
  since_ = since;
  busy_ = true;
  const std::string request = next_request();
  std::size_t sent = 0;
  while (sent < request.size()) {
    const ssize_t n = ::send(socket_, request.data() + sent, request.size() - sent, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail("send");
    sent += static_cast<std::size_t>(n);
  }
}

int AppendClient::receive() {
  char buffer[65'536];
  const ssize_t n = ::recv(socket_, buffer, sizeof buffer, MSG_DONTWAIT);
  if (n == 0) throw std::runtime_error("the server closed the connection");
  if (n < 0) {
    if (errno == EAGAIN || errno == EINTR) return 0;
    fail("recv");
  }
  received_.append(buffer, static_cast<std::size_t>(n));
  const std::size_t head = received_.find("\r\n\r\n");
  if (head == std::string::npos) return 0;
  static constexpr std::string_view kLength = "Content-Length: ";
  const std::size_t at = received_.find(kLength);
  std::size_t length = 0;
  if (at != std::string::npos && at < head) {
    std::from_chars(received_.data() + at + kLength.size(), received_.data() + head, length);
  }
  if (received_.size() < head + 4 + length) return 0;
  int status = 0;
  std::from_chars(received_.data() + 9, received_.data() + 12, status);
  received_.clear();
  busy_ = false;
  return status;
}

}  // namespace vouch::bench
