// Encrypted sessions: libpq's own settings, given in the URI.
#include <catch2/catch.hpp>

#include "certificates.h"
#include "postgres_fixture.h"

namespace vouch::postgres::test {
namespace {

using tests::Certificates;
using tests::no_openssl;

PrivatePostgres::Configuration encrypted(const Certificates& certificates,
                                         const std::string& name) {
  return {{"ssl", "on"},
          {"ssl_cert_file", "'" + certificates.file(name + ".pem") + "'"},
          {"ssl_key_file", "'" + certificates.file(name + ".key") + "'"}};
}

PostgresAddress with(PostgresAddress address, const std::string& parameters) {
  address.parameters = parameters;
  return address;
}

/// What starting a host says.
Status starting(const PostgresAddress& address, const std::string& parameters) {
  return Host(with(address, parameters), "store").start();
}

}  // namespace

TEST_CASE("A session is encrypted, and a server that can't prove who it is is refused") {
  if (no_programs() || no_openssl()) return;
  const Certificates certificates;
  certificates.give_keys_to("postgres");
  PrivatePostgres server(encrypted(certificates, "here"));
  const PostgresAddress& address = server.address();
  const std::string ours = "&sslrootcert=" + certificates.file("ours.pem");
  const std::string theirs = "&sslrootcert=" + certificates.file("theirs.pem");

  CHECK(starting(address, "sslmode=require").ok());
  CHECK(starting(address, "sslmode=verify-ca" + ours).ok());
  {
    Host host(with(address, "sslmode=verify-full" + ours), "store");
    host.started();
    CHECK(PostgresSession(address).run(
              "SELECT bool_and(s.ssl) FROM pg_stat_ssl s JOIN pg_stat_activity a USING (pid) "
              "WHERE a.application_name LIKE 'vouch-%'") == "t");
  }
  for (const std::string mode : {"verify-ca", "verify-full"}) {
    const Status refused = starting(address, "sslmode=" + mode + theirs);
    INFO(refused.to_string());
    CHECK(refused.code() == StatusCode::unavailable);
    CHECK(refused.message().find("certificate") != std::string::npos);
    CHECK(refused.message().find('\n') == std::string::npos);
  }

  // A certificate of the right authority for another host.
  server.kill();
  server.configure(encrypted(certificates, "elsewhere"));
  server.start();
  CHECK(starting(address, "sslmode=verify-ca" + ours).ok());
  const Status other = starting(address, "sslmode=verify-full" + ours);
  INFO(other.to_string());
  CHECK(other.code() == StatusCode::unavailable);
}

TEST_CASE("A server without encryption is refused where encryption is required") {
  if (no_programs()) return;
  PrivatePostgres server;
  CHECK(starting(server.address(), "sslmode=prefer").ok());
  const Status refused = starting(server.address(), "sslmode=require");
  INFO(refused.to_string());
  CHECK(refused.code() == StatusCode::unavailable);
  CHECK(refused.message().find("SSL") != std::string::npos);
}

}  // namespace vouch::postgres::test
