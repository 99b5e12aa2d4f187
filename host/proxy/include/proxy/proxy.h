// Proxy: stands between one host and one backend, passes bytes on, and does to its connections what
// networks do. A thread of its own with poll(2); every method may be called from any thread.
#pragma once

#include <sys/socket.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "proxy/file_descriptor.h"
#include "vouch/status.h"

namespace vouch::proxy {

class ProxyPipe;

class Proxy {
 public:
  /// Listens on 127.0.0.1, on a free port or on `own_port`. Errors: unavailable (the name is not
  /// known, somebody else listens on `own_port`).
  static Result<std::unique_ptr<Proxy>> start(const std::string& host, std::uint16_t port,
                                              std::uint16_t own_port = 0);
  /// Whether somebody listens there now; blocks up to 3 s for each address of the name. Errors:
  /// unavailable, with the reason.
  static Status look_for_server(const std::string& host, std::uint16_t port);
  ~Proxy();
  Proxy(const Proxy&) = delete;
  Proxy& operator=(const Proxy&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }

  /// Resets every connection (RST).
  void cut_all();
  /// Ends one direction of each connection, of every second one the other: the one side reads the
  /// end, and may still write.
  void half_close_all();
  /// New connections are closed at once.
  void refuse(bool on) { set(refusing_, on); }
  /// Nothing is passed on, nothing is lost.
  void hold(bool on) { set(holding_, on); }
  /// Requests pass; a connection is cut when its backend answers.
  void lose_answers(bool on) { set(losing_, on); }
  /// Answers that come from now on are passed on so much later.
  void delay_answers(std::chrono::microseconds time);

  /// Connections that are open. For tests.
  [[nodiscard]] std::size_t connections() const;

 private:
  Proxy() = default;
  void run();
  void accept_one();
  void set(std::atomic<bool>& flag, bool on) {
    flag = on;
    wake();
  }
  void wake() const;

  sockaddr_storage target_{};
  socklen_t target_size_ = 0;
  std::uint16_t port_ = 0;
  FileDescriptor listener_;
  FileDescriptor wake_read_;
  FileDescriptor wake_write_;
  std::atomic<bool> over_{false};
  std::atomic<bool> refusing_{false};
  std::atomic<bool> holding_{false};
  std::atomic<bool> losing_{false};
  std::atomic<std::int64_t> delay_us_{0};
  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<ProxyPipe>> pipes_;
  std::thread thread_;
};

}  // namespace vouch::proxy
