// TLS over a Socket, by OpenSSL in memory: its own writes to a socket could raise SIGPIPE in the
// host. (hiredis has TLS from version 1.0 on; Debian 12 has 0.14.)
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <span>
#include <string>

#include "options.h"
#include "socket.h"

namespace broker_redis {

/// Certificates and rules. [any-thread] once it was made.
class TlsContext {
 public:
  /// Errors: failed_precondition with the file that can't be used.
  static vouch::Result<std::unique_ptr<TlsContext>> make(const Options& options);

  [[nodiscard]] SSL_CTX* get() const { return context_.get(); }
  /// Whether a certificate must name the host.
  [[nodiscard]] bool names_host() const { return names_host_; }

 private:
  struct Free {
    void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  };
  TlsContext() = default;
  vouch::Status load(const Options& options);

  std::unique_ptr<SSL_CTX, Free> context_;
  bool names_host_ = false;
};

/// One session. One thread.
class TlsSession {
 public:
  /// `host`: what the certificate must name. Errors: unavailable, unauthenticated (certificate),
  /// timeout, cancelled.
  static vouch::Result<std::unique_ptr<TlsSession>> start(const TlsContext& context, Socket& socket,
                                                          const std::string& host,
                                                          Deadline deadline);

  vouch::Status write(std::string_view bytes, Deadline deadline);
  vouch::Result<std::size_t> read(std::span<char> buffer, Deadline deadline);

 private:
  struct Free {
    void operator()(SSL* session) const { SSL_free(session); }
  };
  TlsSession(const TlsContext& context, Socket& socket);
  vouch::Status shake_hands(Deadline deadline);
  /// Sends what OpenSSL wants to be sent.
  vouch::Status send_out(Deadline deadline);
  /// Gets what OpenSSL waits for.
  vouch::Status take_in(Deadline deadline);

  Socket& socket_;
  const std::unique_ptr<SSL, Free> session_;
  BIO* const in_;   ///< belongs to the session
  BIO* const out_;  ///< belongs to the session
};

}  // namespace broker_redis
