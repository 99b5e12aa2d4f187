#include "tls.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <array>
#include <new>

namespace broker_redis {

using vouch::Result;
using vouch::Status;
using vouch::StatusCode;

namespace {

constexpr std::size_t kChunk = 16'384;

/// The oldest error of OpenSSL in this thread, in words.
std::string reason() {
  const unsigned long error = ERR_get_error();
  ERR_clear_error();
  const char* text = error == 0 ? nullptr : ERR_reason_error_string(error);
  return text == nullptr ? "unknown error" : text;
}

Status unusable(const std::string& key, const std::string& path) {
  return Status(StatusCode::failed_precondition, "can't use " + key + " " + path + ": " + reason());
}

bool is_ip(const std::string& host) {
  in6_addr ignored{};
  return ::inet_pton(AF_INET, host.c_str(), &ignored) == 1 ||
         ::inet_pton(AF_INET6, host.c_str(), &ignored) == 1;
}

}  // namespace

Result<std::unique_ptr<TlsContext>> TlsContext::make(const Options& options) {
  std::unique_ptr<TlsContext> made(new TlsContext());
  if (Status status = made->load(options); !status.ok()) return status;
  return made;
}

Status TlsContext::load(const Options& options) {
  ERR_clear_error();
  context_.reset(SSL_CTX_new(TLS_client_method()));
  if (context_ == nullptr) return Status(StatusCode::internal, "can't begin TLS: " + reason());
  SSL_CTX* const context = context_.get();
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  const bool verified = options.tls == Tls::verify_ca || options.tls == Tls::verify_identity;
  names_host_ = options.tls == Tls::verify_identity;
  SSL_CTX_set_verify(context, verified ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
  if (!options.tls_ca.empty()) {
    if (SSL_CTX_load_verify_locations(context, options.tls_ca.c_str(), nullptr) != 1) {
      return unusable("tls_ca", options.tls_ca);
    }
  } else if (SSL_CTX_set_default_verify_paths(context) != 1) {
    return unusable("the system's", "certificates");
  }
  if (options.tls_certificate.empty()) return {};
  if (SSL_CTX_use_certificate_chain_file(context, options.tls_certificate.c_str()) != 1) {
    return unusable("tls_certificate", options.tls_certificate);
  }
  if (SSL_CTX_use_PrivateKey_file(context, options.tls_key.c_str(), SSL_FILETYPE_PEM) != 1) {
    return unusable("tls_key", options.tls_key);
  }
  if (SSL_CTX_check_private_key(context) != 1) return unusable("tls_key", options.tls_key);
  return {};
}

TlsSession::TlsSession(const TlsContext& context, Socket& socket)
    : socket_(socket),
      session_(SSL_new(context.get())),
      in_(BIO_new(BIO_s_mem())),
      out_(BIO_new(BIO_s_mem())) {
  if (session_ == nullptr || in_ == nullptr || out_ == nullptr) throw std::bad_alloc();
  SSL_set_bio(session_.get(), in_, out_);
  SSL_set_connect_state(session_.get());
}

Result<std::unique_ptr<TlsSession>> TlsSession::start(const TlsContext& context, Socket& socket,
                                                      const std::string& host, Deadline deadline) {
  std::unique_ptr<TlsSession> made(new TlsSession(context, socket));
  SSL* const session = made->session_.get();
  if (is_ip(host)) {
    if (context.names_host()) {
      X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session), host.c_str());
    }
  } else {
    SSL_set_tlsext_host_name(session, host.c_str());
    if (context.names_host()) SSL_set1_host(session, host.c_str());
  }
  if (Status status = made->shake_hands(deadline); !status.ok()) return status;
  return made;
}

Status TlsSession::shake_hands(Deadline deadline) {
  while (true) {
    ERR_clear_error();
    const int done = SSL_do_handshake(session_.get());
    const int error = SSL_get_error(session_.get(), done);
    Status sent = send_out(deadline);
    if (done == 1) return sent;
    const long verified = SSL_get_verify_result(session_.get());
    if (verified != X509_V_OK && error == SSL_ERROR_SSL) {
      return Status(StatusCode::unauthenticated,
                    "the server's certificate is not accepted: " +
                        std::string(X509_verify_cert_error_string(verified)));
    }
    if (error != SSL_ERROR_WANT_READ) {
      return Status(StatusCode::unavailable, "the TLS handshake failed: " + reason() +
                                                 " (does Redis speak TLS on this port?)");
    }
    if (!sent.ok()) return sent;
    if (Status status = take_in(deadline); !status.ok()) return status;
  }
}

Status TlsSession::send_out(Deadline deadline) {
  std::array<char, kChunk> chunk{};
  while (true) {
    const int count = BIO_read(out_, chunk.data(), static_cast<int>(chunk.size()));
    if (count <= 0) return {};
    const std::string_view bytes(chunk.data(), static_cast<std::size_t>(count));
    if (Status status = socket_.write(bytes, deadline); !status.ok()) return status;
  }
}

Status TlsSession::take_in(Deadline deadline) {
  std::array<char, kChunk> chunk{};
  const Result<std::size_t> count = socket_.read(chunk, deadline);
  if (!count.ok()) return count.status();
  BIO_write(in_, chunk.data(), static_cast<int>(*count));
  return {};
}

Status TlsSession::write(std::string_view bytes, Deadline deadline) {
  while (!bytes.empty()) {
    ERR_clear_error();
    const auto part = static_cast<int>(std::min(bytes.size(), kChunk));
    const int count = SSL_write(session_.get(), bytes.data(), part);
    const int error = SSL_get_error(session_.get(), count);
    if (Status status = send_out(deadline); !status.ok()) return status;
    if (count > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(count));
    } else if (error != SSL_ERROR_WANT_READ) {
      return Status(StatusCode::unavailable, "the TLS session broke: " + reason());
    } else if (Status status = take_in(deadline); !status.ok()) {
      return status;
    }
  }
  return {};
}

Result<std::size_t> TlsSession::read(std::span<char> buffer, Deadline deadline) {
  while (true) {
    ERR_clear_error();
    const int count = SSL_read(session_.get(), buffer.data(), static_cast<int>(buffer.size()));
    if (count > 0) return static_cast<std::size_t>(count);
    const int error = SSL_get_error(session_.get(), count);
    if (error == SSL_ERROR_ZERO_RETURN) {
      return Status(StatusCode::unavailable, "Redis closed the connection");
    }
    if (error != SSL_ERROR_WANT_READ) {
      return Status(StatusCode::unavailable, "the TLS session broke: " + reason());
    }
    if (Status status = send_out(deadline); !status.ok()) return status;
    if (Status status = take_in(deadline); !status.ok()) return status;
  }
}

}  // namespace broker_redis
