// The tap's file, by plain system calls: a buffered stream would hide when a line is in the file.
#include "tap.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace vouch::broker_local {
namespace {

std::string words_of(int error) {
  return std::generic_category().message(error);
}

/// A kill in the middle of a large write leaves a part of a line behind.
bool ends_within_line(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (descriptor < 0) return false;
  struct stat info {};
  char last = '\n';
  const bool regular = ::fstat(descriptor, &info) == 0 && S_ISREG(info.st_mode);
  if (regular && info.st_size > 0 && ::pread(descriptor, &last, 1, info.st_size - 1) != 1) {
    last = '\n';
  }
  ::close(descriptor);
  return last != '\n';
}

/// Returns how many bytes the file took; `error` is set unless that is all of them.
std::size_t write_all(int descriptor, std::string_view bytes, int& error) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t taken = ::write(descriptor, bytes.data() + done, bytes.size() - done);
    if (taken > 0) {
      done += static_cast<std::size_t>(taken);
    } else if (taken == 0 || errno != EINTR) {
      error = taken == 0 ? EIO : errno;
      break;
    }
  }
  return done;
}

}  // namespace

Result<std::unique_ptr<Tap>> Tap::open(const std::string& path) {
  const bool torn = ends_within_line(path);
  const int descriptor = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
  if (descriptor < 0) {
    return Status(StatusCode::failed_precondition,
                  "the tap " + path + " can't be opened for writing: " + words_of(errno) +
                      "; set 'tap' to a file that this user may write");
  }
  return std::unique_ptr<Tap>(new Tap(path, descriptor, torn));
}

Tap::Tap(std::string path, int descriptor, bool torn)
    : path_(std::move(path)), descriptor_(descriptor), torn_(torn) {}

Tap::~Tap() {
  ::close(descriptor_);
}

Tap::Written Tap::append(std::string_view lines) {
  Written written;
  int error = 0;
  if (torn_ && !lines.empty()) torn_ = write_all(descriptor_, "\n", error) != 1;
  if (error == 0) written.bytes = write_all(descriptor_, lines, error);
  if (error == 0) return written;
  torn_ = torn_ || (written.bytes > 0 && lines[written.bytes - 1] != '\n');
  written.status =
      Status(StatusCode::unavailable, "the tap " + path_ + " can't be written: " + words_of(error));
  return written;
}

}  // namespace vouch::broker_local
