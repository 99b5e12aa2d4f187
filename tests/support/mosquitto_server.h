// A Mosquitto of a test's own: on a free port, with the configuration that the test gives, as an
// unprivileged user; gone at the end. One thread.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <string>

namespace vouch::tests {

class MosquittoServer {
 public:
  static bool installed();
  /// ctest counts a test that prints this as skipped.
  static constexpr const char* kNotInstalled = "SKIPPED: mosquitto is not installed";

  /// Starts one. `lines` are added to a configuration that sends without delay and keeps nothing;
  /// "%DIR%" in them is the server's directory. Throws std::runtime_error.
  explicit MosquittoServer(const std::string& lines = "allow_anonymous true\n");
  MosquittoServer(const MosquittoServer&) = delete;
  MosquittoServer& operator=(const MosquittoServer&) = delete;
  ~MosquittoServer();

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] std::string uri() const { return "mqtt://127.0.0.1:" + std::to_string(port_); }
  [[nodiscard]] const std::filesystem::path& directory() const { return directory_; }
  /// Writes a file that the server may read; for password and access files, before `start`.
  void write_file(const std::string& name, const std::string& content) const;

  /// On the same port; with other `lines` if they are not empty.
  void start(const std::string& lines = {});
  /// kill -9.
  void kill();
  /// The process stands still: connections are accepted by the kernel, and nothing is answered.
  void pause() const;
  void resume() const;

 private:
  std::filesystem::path directory_;
  std::uint16_t port_;
  std::string lines_;
  pid_t process_ = -1;
};

}  // namespace vouch::tests
