#include "topics.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>

namespace broker_files {

namespace fs = std::filesystem;
using vouch::Result;
using vouch::Status;
using vouch::StatusCode;

namespace {

constexpr std::size_t kLongestName = 200;  ///< of a directory, with what is added to it
constexpr const char* kFirstFile = "0.log";

/// A directory's name in which only letters, digits and - _ stand for themselves, and dots inside.
std::string file_name(std::string_view topic) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string name;
  for (const char c : topic) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_' || (c == '.' && !name.empty());
    if (plain) {
      name += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    name += '%';
    name += kHex[byte >> 4U];
    name += kHex[byte & 0xFU];
  }
  return name;
}

/// Forces a directory's entries to the disk; a file that is not in them is lost in a power cut.
bool force(const std::string& directory) {
  const int descriptor = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return false;
  const bool done = ::fsync(descriptor) == 0;
  ::close(descriptor);
  return done;
}

Status failed(const std::string& doing) {
  return Status(StatusCode::unavailable,
                "can't " + doing + ": " + std::generic_category().message(errno));
}

}  // namespace

Status Topics::open() const {
  std::error_code error;
  fs::create_directories(directory_, error);
  return check();
}

Status Topics::check() const {
  if (::access(directory_.c_str(), R_OK | W_OK | X_OK) == 0) return {};
  return Status(StatusCode::failed_precondition,
                "the directory " + directory_ +
                    " can't be used: " + std::generic_category().message(errno) +
                    "; set 'directory' to one that this user may read and write");
}

Status Topics::check_name(std::string_view topic) {
  if (topic.empty()) return Status(StatusCode::invalid_argument, "the topic has no name");
  if (file_name(topic).size() > kLongestName) {
    return Status(StatusCode::invalid_argument,
                  "the topic's name is longer than a directory's may be: " +
                      std::string(topic.substr(0, 40)) + "…");
  }
  return {};
}

std::string Topics::directory_of(std::string_view topic) const {
  return directory_ + "/" + file_name(topic);
}

std::string Topics::file_of(std::string_view topic, std::uint32_t partition) const {
  return directory_of(topic) + "/" + std::to_string(partition) + ".log";
}

Result<std::uint32_t> Topics::partitions(std::string_view topic, std::uint32_t wanted) {
  const std::lock_guard lock(mutex_);
  if (const auto known = known_.find(topic); known != known_.end()) return known->second;
  if (Status status = check_name(topic); !status.ok()) return status;
  const std::string path = directory_of(topic);
  std::error_code error;
  if (!fs::exists(path + "/" + kFirstFile, error)) {
    if (Status status = make(path, wanted); !status.ok()) return status;
  }
  std::uint32_t count = 0;
  for (const auto& file : fs::directory_iterator(path, error)) {
    if (file.path().extension() == ".log") ++count;
  }
  if (error) {
    return Status(StatusCode::unavailable, "can't read " + path + ": " + error.message());
  }
  known_.emplace(topic, count);
  return count;
}

/// Fills a directory of a name that nobody has, and gives it the topic's name: whoever comes second
/// finds the name taken, and uses what is there.
Status Topics::make(const std::string& path, std::uint32_t wanted) const {
  std::string made = directory_ + "/.new-XXXXXX";
  if (::mkdtemp(made.data()) == nullptr || ::chmod(made.c_str(), 0750) != 0) {
    return failed("make a directory in " + directory_);
  }
  bool good = true;
  for (std::uint32_t i = 0; i < wanted && good; ++i) {
    const std::string file = made + "/" + std::to_string(i) + ".log";
    const int descriptor = ::open(file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0640);
    good = descriptor >= 0;
    if (good) ::close(descriptor);
  }
  good = good && force(made);
  const bool named = good && ::rename(made.c_str(), path.c_str()) == 0;
  const bool taken = good && !named && (errno == EEXIST || errno == ENOTEMPTY);
  Status status = named || taken ? Status() : failed("make the topic " + path);
  std::error_code ignored;
  if (!named) fs::remove_all(made, ignored);
  if (status.ok() && !force(directory_)) status = failed("force " + directory_ + " to the disk");
  return status;
}

}  // namespace broker_files
