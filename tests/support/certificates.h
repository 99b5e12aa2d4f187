// Certificates for tests of encrypted connections, made by openssl. One thread; uses Catch2.
#pragma once

#include <stdlib.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

namespace vouch::tests {

/// Two authorities, and a server's certificate of the first one for 127.0.0.1, and one for another
/// host.
class Certificates {
 public:
  Certificates() {
    std::string path = (std::filesystem::temp_directory_path() / "vouch-tls-XXXXXX").string();
    REQUIRE(::mkdtemp(path.data()) != nullptr);
    directory_ = path;
    std::filesystem::permissions(
        directory_, std::filesystem::perms::owner_all | std::filesystem::perms::others_read |
                        std::filesystem::perms::others_exec | std::filesystem::perms::group_read |
                        std::filesystem::perms::group_exec);
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
    std::filesystem::remove_all(directory_, ignored);
  }
  /// "ours.pem", "theirs.pem": the authorities; "here.pem" and "here.key", "elsewhere.…": a
  /// server's.
  [[nodiscard]] std::string file(const std::string& name) const {
    return (directory_ / name).string();
  }
  /// Servers that insist on it get keys of their own, if there is such a user and we may.
  void give_keys_to(const std::string& user) const {
    if (::geteuid() != 0) return;
    for (const char* name : {"here.key", "elsewhere.key"}) {
      run("chown " + user + " " + file(name) + " && chmod 600 " + file(name));
    }
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

  std::filesystem::path directory_;
};

/// Whether there is no openssl; then that was printed, and the test ends.
inline bool no_openssl() {
  if (std::system("openssl version >/dev/null 2>&1") == 0) return false;
  std::puts("SKIPPED: openssl is not installed");
  return true;
}

}  // namespace vouch::tests
