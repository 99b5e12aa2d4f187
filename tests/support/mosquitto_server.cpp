#include "mosquitto_server.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "free_port.h"

namespace vouch::tests {
namespace {

namespace fs = std::filesystem;

/// Debian has it where only root looks.
const char* program() {
  for (const char* path :
       {"/usr/sbin/mosquitto", "/usr/bin/mosquitto", "/usr/local/sbin/mosquitto"}) {
    if (::access(path, X_OK) == 0) return path;
  }
  return nullptr;
}

bool answers(std::uint16_t port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in place{};
  place.sin_family = AF_INET;
  place.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  place.sin_port = htons(port);
  const bool connected =
      ::connect(socket, reinterpret_cast<const sockaddr*>(&place), sizeof place) == 0;
  ::close(socket);
  return connected;
}

std::string replaced(std::string text, const std::string& what, const std::string& with) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at)) {
    text.replace(at, what.size(), with);
    at += with.size();
  }
  return text;
}

}  // namespace

bool MosquittoServer::installed() {
  return program() != nullptr;
}

MosquittoServer::MosquittoServer(const std::string& lines) : port_(free_port()), lines_(lines) {
  std::string path = (fs::temp_directory_path() / "vouch-mosquitto-XXXXXX").string();
  if (::mkdtemp(path.data()) == nullptr) throw std::runtime_error("no temporary directory");
  directory_ = path;
  // Started by root, Mosquitto becomes the user of its configuration before it reads other files.
  fs::permissions(directory_, fs::perms::all);
  start();
}

MosquittoServer::~MosquittoServer() {
  kill();
  std::error_code ignored;
  fs::remove_all(directory_, ignored);
}

void MosquittoServer::write_file(const std::string& name, const std::string& content) const {
  std::ofstream(directory_ / name) << content;
}

void MosquittoServer::start(const std::string& lines) {
  if (!lines.empty()) lines_ = lines;
  const fs::path config = directory_ / "mosquitto.conf";
  std::ofstream(config) << "user nobody\nset_tcp_nodelay true\npersistence false\n"
                        << "max_queued_messages 0\nmax_inflight_messages 1000\n"
                        << "listener " << port_ << " 127.0.0.1\n"
                        << replaced(lines_, "%DIR%", directory_.string());
  const std::string log = (directory_ / "log").string();
  process_ = ::fork();
  if (process_ == 0) {
    ::setsid();
    const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    ::dup2(out, 1);
    ::dup2(out, 2);
    ::execl(program(), "mosquitto", "-c", config.c_str(), static_cast<char*>(nullptr));
    ::_exit(127);
  }
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!answers(port_)) {
    int status = 0;
    if (::waitpid(process_, &status, WNOHANG) == process_ ||
        std::chrono::steady_clock::now() > deadline) {
      process_ = -1;
      std::stringstream said;
      said << std::ifstream(log).rdbuf();
      throw std::runtime_error("mosquitto did not start: " + said.str());
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

void MosquittoServer::kill() {
  if (process_ <= 0) return;
  ::kill(process_, SIGKILL);
  ::waitpid(process_, nullptr, 0);
  process_ = -1;
}

void MosquittoServer::pause() const {
  ::kill(process_, SIGSTOP);
}

void MosquittoServer::resume() const {
  ::kill(process_, SIGCONT);
}

}  // namespace vouch::tests
