// Servers: which of the addresses to use. The one that was good last is tried first. [any-thread]
#pragma once

#include <atomic>
#include <cstddef>
#include <memory>

#include "connection.h"
#include "options.h"
#include "tls.h"
#include "wake.h"

namespace broker_redis {

class Servers {
 public:
  explicit Servers(const Options& options) : options_(options) {}

  /// Reads the certificates. Errors: failed_precondition. [startup]
  vouch::Status open();

  /// Tries each address once. The error is that of the address that came nearest: what Redis says
  /// counts more than that it can't be reached.
  vouch::Result<std::unique_ptr<Connection>> connect(const Wake& wake);

 private:
  const Options& options_;
  std::unique_ptr<TlsContext> tls_;
  std::atomic<std::size_t> last_good_{0};
};

}  // namespace broker_redis
