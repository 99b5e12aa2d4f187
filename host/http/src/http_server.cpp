// HttpServer: Poco's TCP server accepts and gives each connection a thread of a bounded pool;
// connection.cpp takes it from there.
#include "http/http_server.h"

#include <Poco/Exception.h>
#include <Poco/Net/ServerSocket.h>
#include <Poco/Net/SocketAddress.h>
#include <Poco/Net/TCPServer.h>
#include <Poco/Net/TCPServerConnectionFactory.h>
#include <Poco/ThreadPool.h>

#include <atomic>
#include <mutex>

#include "connection.h"

namespace vouch::http {
namespace {

/// Threads beyond `max_connections` that tell clients so, instead of leaving them to wonder.
constexpr int kRefusers = 16;
constexpr int kAcceptBacklog = 1'024;
/// A pool thread that begins to wait just when the server stops misses the wake-up (Poco 1.11,
/// TCPServerDispatcher::stop) and is joined after this time, which is 10 s by default.
constexpr long kThreadIdleMicros = 500'000;

class ConnectionFactory final : public Poco::Net::TCPServerConnectionFactory {
 public:
  explicit ConnectionFactory(ConnectionShare& share) : share_(share) {}

  Poco::Net::TCPServerConnection* createConnection(const Poco::Net::StreamSocket& socket) override {
    Poco::Net::StreamSocket quick = socket;
    quick.setNoDelay(true);
    return new Connection(socket, share_);
  }

 private:
  ConnectionShare& share_;
};

/// "127.0.0.1:7070", "[::1]:7070", ":7070" (all addresses).
Poco::Net::SocketAddress parse_listen(const std::string& listen) {
  if (!listen.empty() && listen[0] == ':') {
    return Poco::Net::SocketAddress("0.0.0.0", listen.substr(1));
  }
  return Poco::Net::SocketAddress(listen);
}

}  // namespace

class HttpServer::Impl {
 public:
  Impl(HttpOptions options, HttpBackends backends, HostServices& services)
      : options_(std::move(options)),
        backends_(std::move(backends)),
        readiness_(backends_.readiness, backends_.stuck_calls, services.clock()),
        context_{options_, backends_, services, readiness_, stopping_},
        hub_({options_.max_followers, options_.heartbeat}, backends_.storage.reader(),
             backends_.live_feed, services),
        registry_(services.metrics().gauge("vouch_http_connections",
                                           "Connections that a thread serves.", {})),
        metrics_(services.metrics()),
        share_{context_, hub_, registry_, metrics_},
        pool_("http", 2, static_cast<int>(options_.max_connections) + kRefusers) {}

  ~Impl() { stop(std::chrono::steady_clock::now()); }

  Status start() {
    try {
      Poco::Net::ServerSocket socket;
      const Poco::Net::SocketAddress address = parse_listen(options_.listen);
      socket.bind(address, true, false);
      socket.listen(kAcceptBacklog);
      const Status hub = hub_.start();
      if (!hub.ok()) return hub;
      auto* parameters = new Poco::Net::TCPServerParams;
      parameters->setMaxThreads(static_cast<int>(options_.max_connections) + kRefusers);
      parameters->setMaxQueued(kAcceptBacklog);
      parameters->setThreadIdleTime(Poco::Timespan(kThreadIdleMicros));
      server_ = std::make_unique<Poco::Net::TCPServer>(new ConnectionFactory(share_), pool_, socket,
                                                       parameters);
      server_->start();
      port_ = server_->port();
    } catch (const Poco::Exception& error) {
      server_.reset();
      hub_.stop();
      return {StatusCode::unavailable,
              "can't listen on " + options_.listen + ": " + error.displayText()};
    }
    return {};
  }

  void stop(std::chrono::steady_clock::time_point deadline) {
    const std::lock_guard lock(stop_mutex_);
    if (!server_) return;
    stopping_ = true;
    server_->stop();
    registry_.end_idle();
    hub_.stop();
    // Connections that are left at the deadline are cut; their threads are waited for even so,
    // since they use what is destroyed next.
    if (!registry_.wait_empty(deadline)) registry_.cut();
    pool_.joinAll();
    server_.reset();
  }

  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  const HttpOptions options_;
  const HttpBackends backends_;
  std::atomic<bool> stopping_{false};
  Readiness readiness_;
  Context context_;
  FollowHub hub_;
  ConnectionRegistry registry_;
  RequestMetrics metrics_;
  ConnectionShare share_;
  Poco::ThreadPool pool_;
  std::unique_ptr<Poco::Net::TCPServer> server_;
  std::atomic<std::uint16_t> port_{0};
  std::mutex stop_mutex_;
};

HttpServer::HttpServer(HttpOptions options, HttpBackends backends, HostServices& services)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(backends), services)) {}

HttpServer::~HttpServer() = default;

Status HttpServer::start() {
  return impl_->start();
}

void HttpServer::stop(std::chrono::steady_clock::time_point deadline) {
  impl_->stop(deadline);
}

std::uint16_t HttpServer::port() const {
  return impl_->port();
}

}  // namespace vouch::http
