#include "partition_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "record.h"

namespace broker_files {

using vouch::Result;
using vouch::Status;
using vouch::StatusCode;

namespace {

/// Reads exactly that much; false at the end of the file or on an error, which `errno` tells.
bool read_at(int descriptor, std::uint64_t offset, std::size_t bytes, std::string& into) {
  into.resize(bytes);
  std::size_t done = 0;
  while (done < bytes) {
    const ssize_t got =
        ::pread(descriptor, into.data() + done, bytes - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got == 0) errno = 0;
    if (got <= 0) return false;
    done += static_cast<std::size_t>(got);
  }
  return true;
}

}  // namespace

/// The lock of the file, among processes and descriptors, while it lives.
class PartitionFile::Locked {
 public:
  explicit Locked(int descriptor) : descriptor_(descriptor) {
    while (::flock(descriptor_, LOCK_EX) != 0 && errno == EINTR) {
    }
  }
  ~Locked() { ::flock(descriptor_, LOCK_UN); }
  Locked(const Locked&) = delete;
  Locked& operator=(const Locked&) = delete;

 private:
  const int descriptor_;
};

Result<std::unique_ptr<PartitionFile>> PartitionFile::open(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640);
  if (descriptor < 0) {
    return Status(StatusCode::unavailable,
                  "can't open " + path + ": " + std::generic_category().message(errno));
  }
  return std::unique_ptr<PartitionFile>(new PartitionFile(path, descriptor));
}

PartitionFile::~PartitionFile() {
  ::close(descriptor_);
}

Status PartitionFile::failed(const char* doing) const {
  return Status(StatusCode::unavailable, std::string("can't ") + doing + " " + path_ + ": " +
                                             std::generic_category().message(errno));
}

std::uint64_t PartitionFile::size() const {
  struct stat info {};
  return ::fstat(descriptor_, &info) == 0 ? static_cast<std::uint64_t>(info.st_size) : 0;
}

bool PartitionFile::ends_whole(std::uint64_t size) {
  if (size == 0) return true;
  if (size < kRecordFrame || !read_at(descriptor_, size - kRecordTail, kRecordTail, buffer_)) {
    return false;
  }
  const std::uint64_t length = kRecordFrame + std::uint64_t{body_length(buffer_)};
  return length <= size && read_at(descriptor_, size - length, length, buffer_) &&
         body_of(buffer_).has_value();
}

std::uint64_t PartitionFile::last_whole() {
  std::uint64_t offset = 0;
  std::string body;
  for (Result<bool> more = true; more.ok() && *more;) more = read(offset, body);
  return offset;
}

Status PartitionFile::append(std::string_view records) {
  const Locked lock(descriptor_);
  std::uint64_t end = size();
  if (end != known_end_ && !ends_whole(end)) {
    end = last_whole();
    if (::ftruncate(descriptor_, static_cast<off_t>(end)) != 0) return failed("repair");
  }
  known_end_ = kUnknown;
  while (!records.empty()) {
    const ssize_t written =
        ::pwrite(descriptor_, records.data(), records.size(), static_cast<off_t>(end));
    if (written < 0 && errno == EINTR) continue;
    // What was written stays: readers may have seen it, and whoever writes next removes half a
    // record.
    if (written <= 0) return failed("write to");
    end += static_cast<std::uint64_t>(written);
    records.remove_prefix(static_cast<std::size_t>(written));
  }
  if (::fdatasync(descriptor_) != 0) return failed("force to the disk");
  known_end_ = end;
  return {};
}

Result<std::uint64_t> PartitionFile::end() {
  const Locked lock(descriptor_);
  const std::uint64_t all = size();
  return ends_whole(all) ? all : last_whole();
}

Result<bool> PartitionFile::read(std::uint64_t& offset, std::string& body) {
  const auto nothing = [this]() -> Result<bool> {
    if (errno != 0) return failed("read");
    return false;
  };
  if (!read_at(descriptor_, offset, kRecordHead, buffer_)) return nothing();
  const std::uint64_t length = kRecordFrame + std::uint64_t{body_length(buffer_)};
  // Half of a record may say any length.
  if (offset + length > size()) return false;
  if (!read_at(descriptor_, offset, length, buffer_)) return nothing();
  const auto whole = body_of(buffer_);
  if (!whole) return false;
  body = *whole;
  offset += length;
  return true;
}

}  // namespace broker_files
