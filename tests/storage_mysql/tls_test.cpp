// Encrypted sessions: what each setting of "tls" accepts and refuses.
#include <catch2/catch.hpp>

#include "certificates.h"
#include "mysql_fixture.h"

namespace vouch::mysql::test {
namespace {

using tests::Certificates;
using tests::no_openssl;

std::vector<std::string> server_arguments(const Certificates& certificates,
                                          const std::string& name) {
  return {"--ssl-ca=" + certificates.file("ours.pem"),
          "--ssl-cert=" + certificates.file(name + ".pem"),
          "--ssl-key=" + certificates.file(name + ".key")};
}

Status opening(const MysqlAddress& address, const std::string& database, MoreSettings tls) {
  Host host(address, database, std::move(tls));
  return host.start();
}

}  // namespace

TEST_CASE("A session is encrypted, and a server that can't prove who it is is refused") {
  if (no_programs() || no_openssl()) return;
  const Certificates certificates;
  PrivateMysql server(server_arguments(certificates, "here"));
  const ScratchDatabase database(server.address());
  const auto open = [&](MoreSettings tls) {
    return opening(server.address(), database.name(), std::move(tls));
  };
  const std::string ours = certificates.file("ours.pem");
  const std::string theirs = certificates.file("theirs.pem");

  CHECK(open({{"tls", "required"}}).ok());
  CHECK(open({{"tls", "verify_ca"}, {"tls_ca", ours}}).ok());
  CHECK(open({{"tls", "verify_identity"}, {"tls_ca", ours}}).ok());
  for (const char* tls : {"verify_ca", "verify_identity"}) {
    CAPTURE(tls);
    const Status refused = open({{"tls", tls}, {"tls_ca", theirs}});
    INFO(refused.to_string());
    CHECK(refused.code() == StatusCode::unavailable);
    CHECK(refused.message().find("tls settings") != std::string::npos);
  }
  {
    Host host(server.address(), database.name(), {{"tls", "required"}});
    host.started();
    MysqlSession admin(server.address());
    admin.run("CREATE USER encrypted@'%' IDENTIFIED BY 's3cret-of-user' REQUIRE SSL");
    admin.run("GRANT ALL ON *.* TO encrypted@'%'");
  }
  // Who demands encryption lets nobody in without it.
  MysqlAddress encrypted = server.address();
  encrypted.user = "encrypted";
  encrypted.password = "s3cret-of-user";
  CHECK(opening(encrypted, database.name(), {}).code() == StatusCode::unauthenticated);
  CHECK(opening(encrypted, database.name(), {{"tls", "required"}}).ok());

  // A certificate of the right authority for another host.
  server.kill();
  server.configure(server_arguments(certificates, "elsewhere"));
  server.start();
  CHECK(open({{"tls", "verify_ca"}, {"tls_ca", ours}}).ok());
  const Status other = open({{"tls", "verify_identity"}, {"tls_ca", ours}});
  INFO(other.to_string());
  CHECK(other.code() == StatusCode::unavailable);
}

TEST_CASE("A server without encryption is refused where encryption is required") {
  if (no_programs() || no_openssl()) return;
  PrivateMysql server({"--skip-ssl"});
  const ScratchDatabase database(server.address());
  CHECK(opening(server.address(), database.name(), {}).ok());
  const Certificates certificates;
  const std::string ours = certificates.file("ours.pem");
  for (const MoreSettings& tls :
       {MoreSettings{{"tls", "required"}}, MoreSettings{{"tls", "verify_ca"}, {"tls_ca", ours}},
        MoreSettings{{"tls", "verify_identity"}, {"tls_ca", ours}}}) {
    const Status refused = opening(server.address(), database.name(), tls);
    INFO(refused.to_string());
    CHECK(refused.code() == StatusCode::unavailable);
  }
}

}  // namespace vouch::mysql::test
