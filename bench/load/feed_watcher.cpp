#include "feed_watcher.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <stdexcept>
#include <string_view>

namespace vouch::bench {
namespace {
constexpr std::string_view kEvent = R"("kind":"event")";
constexpr std::string_view kCaughtUp = R"("kind":"caught-up")";
}  // namespace

FeedWatcher::FeedWatcher(const LoadOptions& options) {
  socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(options.port);
  ::inet_pton(AF_INET, options.host.c_str(), &address.sin_addr);
  if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    ::close(socket_);
    throw std::runtime_error("the feed watcher can't connect");
  }
  constexpr std::string_view kRequest =
      "GET /v1/feed HTTP/1.1\r\nHost: bench\r\nAccept: application/x-ndjson\r\n\r\n";
  if (::send(socket_, kRequest.data(), kRequest.size(), MSG_NOSIGNAL) < 0) {
    ::close(socket_);
    throw std::runtime_error("the feed watcher can't send");
  }
  thread_ = std::thread([this] { run(); });
  for (int i = 0; i < 500 && !live_.load(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

FeedWatcher::~FeedWatcher() {
  ::shutdown(socket_, SHUT_RDWR);
  if (thread_.joinable()) thread_.join();
  ::close(socket_);
}

void FeedWatcher::run() {
  std::string text;
  std::string buffer(1U << 18U, '\0');
  while (true) {
    const ssize_t n = ::recv(socket_, buffer.data(), buffer.size(), 0);
    if (n <= 0) return;
    text.append(buffer.data(), static_cast<std::size_t>(n));
    take_lines(text);
  }
}

/// Chunk sizes stand on lines of their own and match nothing here.
void FeedWatcher::take_lines(std::string& text) {
  std::size_t begin = 0;
  for (std::size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n', begin)) {
    const std::string_view line(text.data() + begin, end - begin);
    begin = end + 1;
    if (line.find(kCaughtUp) != std::string_view::npos) live_ = true;
    if (line.find(kEvent) != std::string_view::npos) sightings_.saw(line);
  }
  text.erase(0, begin);
}

}  // namespace vouch::bench
