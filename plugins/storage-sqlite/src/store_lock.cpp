#include "store_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace vouch::sqlite {

namespace {

/// What the owner wrote, "process 4711", or words for an owner that did not get to it.
std::string owner_of(int descriptor) {
  std::array<char, 32> text{};
  const ssize_t size = ::pread(descriptor, text.data(), text.size() - 1, 0);
  std::string pid(text.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
  while (!pid.empty() && (pid.back() < '0' || pid.back() > '9')) pid.pop_back();
  return pid.empty() ? "another process" : "process " + pid;
}

}  // namespace

Status StoreLock::take(const std::string& path) {
  const std::string file = path + ".lock";
  const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor < 0) {
    const bool rights = errno == EACCES || errno == EPERM || errno == EROFS;
    return {rights ? StatusCode::permission_denied : StatusCode::unavailable,
            "can't create the lock " + file + ": " + std::strerror(errno) +
                "; the host writes to that directory"};
  }
  if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    const int error = errno;
    const std::string owner = owner_of(descriptor);
    ::close(descriptor);
    if (error == EWOULDBLOCK) {
      return {StatusCode::held, path + " is in use by " + owner + ", which holds " + file +
                                    "; a SQLite store is opened by one host at a time"};
    }
    return {StatusCode::unavailable, "can't lock " + file + ": " + std::strerror(error)};
  }
  const std::string pid = std::to_string(::getpid()) + "\n";
  if (::ftruncate(descriptor, 0) != 0 ||
      ::pwrite(descriptor, pid.data(), pid.size(), 0) != static_cast<ssize_t>(pid.size())) {
    // The process id is for the refusal's words alone: a full disk must not keep a host from
    // starting, and whoever is refused is then told of "another process".
  }
  descriptor_ = descriptor;
  return {};
}

void StoreLock::release() {
  if (descriptor_ < 0) return;
  ::close(descriptor_);
  descriptor_ = -1;
}

}  // namespace vouch::sqlite
