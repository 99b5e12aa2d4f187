// HostAddresses: where the hosts of the run are at the moment. Any thread.
#pragma once

#include <cstdint>
#include <mutex>
#include <vector>

namespace vouch::prove {

class HostAddresses {
 public:
  explicit HostAddresses(std::size_t hosts) : ports_(hosts, 0) {}

  /// 0: it is not there.
  void set(std::size_t host, std::uint16_t port) {
    const std::lock_guard lock(mutex_);
    ports_[host] = port;
  }
  [[nodiscard]] std::uint16_t port(std::size_t host) const {
    const std::lock_guard lock(mutex_);
    return ports_[host];
  }
  [[nodiscard]] std::size_t count() const { return ports_.size(); }

 private:
  mutable std::mutex mutex_;
  std::vector<std::uint16_t> ports_;
};

}  // namespace vouch::prove
