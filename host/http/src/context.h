// What handlers work with. Handed by reference; everything in it is [any-thread].
#pragma once

#include <atomic>

#include "http/http_server.h"
#include "readiness.h"

namespace vouch::http {

struct Context {
  const HttpOptions& options;
  const HttpBackends& backends;
  HostServices& services;
  Readiness& readiness;
  const std::atomic<bool>& stopping;  ///< the server began to stop: wait for nothing

  [[nodiscard]] Reader& reader() const { return backends.storage.reader(); }
};

}  // namespace vouch::http
