// Encrypted sessions: what each setting of "tls" accepts and refuses.
#include <stdlib.h>

#include <catch2/catch.hpp>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "mysql_fixture.h"

namespace vouch::mysql::test {
namespace {

namespace fs = std::filesystem;

/// Two authorities, and a server's certificate of the first one for 127.0.0.1, and one for another
/// host.
class Certificates {
 public:
  Certificates() {
    std::string path = (fs::temp_directory_path() / "vouch-tls-XXXXXX").string();
    REQUIRE(::mkdtemp(path.data()) != nullptr);
    directory_ = path;
    fs::permissions(directory_, fs::perms::owner_all | fs::perms::others_read |
                                    fs::perms::others_exec | fs::perms::group_read |
                                    fs::perms::group_exec);
    for (const std::string name : {"ours", "theirs"}) {
      run("openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=" + name + " -keyout " +
          file(name + ".key") + " -out " + file(name + ".pem"));
    }
    sign("here", "IP:127.0.0.1");
    sign("elsewhere", "DNS:elsewhere.invalid");
  }
  Certificates(const Certificates&) = delete;
  Certificates& operator=(const Certificates&) = delete;
  ~Certificates() {
    std::error_code ignored;
    fs::remove_all(directory_, ignored);
  }
  [[nodiscard]] std::string file(const std::string& name) const {
    return (directory_ / name).string();
  }
  [[nodiscard]] std::vector<std::string> server(const std::string& name) const {
    return {"--ssl-ca=" + file("ours.pem"), "--ssl-cert=" + file(name + ".pem"),
            "--ssl-key=" + file(name + ".key")};
  }

 private:
  void sign(const std::string& name, const std::string& host) const {
    run("openssl req -newkey rsa:2048 -nodes -subj /CN=" + name + " -addext subjectAltName=" +
        host + " -keyout " + file(name + ".key") + " -out " + file(name + ".csr"));
    run("openssl x509 -req -days 2 -copy_extensions copy -in " + file(name + ".csr") + " -CA " +
        file("ours.pem") + " -CAkey " + file("ours.key") + " -CAcreateserial -out " +
        file(name + ".pem"));
    // The server runs as another user.
    run("chmod 644 " + file(name + ".key"));
  }
  static void run(const std::string& command) {
    CAPTURE(command);
    REQUIRE(std::system((command + " >/dev/null 2>&1").c_str()) == 0);
  }

  fs::path directory_;
};

bool no_openssl() {
  if (std::system("openssl version >/dev/null 2>&1") == 0) return false;
  std::puts("SKIPPED: openssl is not installed");
  return true;
}

Status opening(const MysqlAddress& address, const std::string& database, MoreSettings tls) {
  Host host(address, database, std::move(tls));
  return host.start();
}

}  // namespace

TEST_CASE("A session is encrypted, and a server that can't prove who it is is refused") {
  if (no_programs() || no_openssl()) return;
  const Certificates certificates;
  PrivateMysql server(certificates.server("here"));
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
  server.configure(certificates.server("elsewhere"));
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
