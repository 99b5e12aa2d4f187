// TcpProxy: stands between a storage under test and its database server, on a port of its own:
// passes bytes on, and cuts or silences connections when a test says so. [any-thread] for all
// methods.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace vouch::tests {

class TcpProxy {
 public:
  /// Listens on 127.0.0.1 and connects to `host`:`port`. Throws std::runtime_error.
  TcpProxy(std::string host, std::uint16_t port);
  TcpProxy(const TcpProxy&) = delete;
  TcpProxy& operator=(const TcpProxy&) = delete;
  ~TcpProxy();

  [[nodiscard]] std::uint16_t port() const { return port_; }

  /// Closes every connection, as the kernel does for a killed process.
  void cut();
  /// Whether new connections are closed at once.
  void refuse(bool refused);
  /// Passes nothing on in either direction and closes nothing, as when a cable is pulled.
  void silence(bool silent);

  /// At which moment the connection is cut that sends `text` next.
  enum class Moment : std::uint8_t {
    before_it_arrives,  ///< the server never sees it
    before_its_answer,  ///< the server answered, the client never sees that
  };
  void cut_at(std::string text, Moment moment);
  /// How many connections cut_at has cut.
  [[nodiscard]] int cuts() const { return cuts_.load(); }
  /// How many connections there are now.
  [[nodiscard]] std::size_t connections() const;

 private:
  struct Link {
    int client = -1;
    int server = -1;
    bool answer_is_lost = false;
  };

  void run();
  void accept_one();
  /// False when the link is over.
  bool pass(Link& link, bool from_client);
  static void close_link(Link& link);

  const std::string host_;
  const std::uint16_t server_port_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<bool> stopping_{false};
  std::atomic<int> cuts_{0};

  mutable std::mutex mutex_;  // guards what follows
  std::vector<Link> links_;
  bool refused_ = false;
  bool silent_ = false;
  std::string cut_text_;
  Moment cut_moment_ = Moment::before_it_arrives;

  std::thread thread_;  // last: it uses the rest
};

}  // namespace vouch::tests
