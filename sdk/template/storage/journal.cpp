#include "journal.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "bytes.h"

namespace storage_journal {

using vouch::Result;
using vouch::Status;
using vouch::StatusCode;

namespace {

constexpr std::string_view kFormat = "vouch-journal 1\n";
constexpr std::size_t kHead = 12;  ///< of an entry: length (4), checksum (8)

Status failed(StatusCode code, const std::string& doing) {
  return {code, "can't " + doing + ": " + std::generic_category().message(errno)};
}

/// 64-bit FNV-1a: finds what a crash tears, which is all that it is for.
std::uint64_t checksum(std::string_view bytes) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char c : bytes) {
    hash ^= static_cast<std::uint8_t>(c);
    hash *= 0x100000001b3ULL;
  }
  return hash;
}

/// What of the bytes is in the file afterwards; short only with `errno` set.
std::size_t write_at(int descriptor, std::uint64_t offset, std::string_view bytes) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t written = ::pwrite(descriptor, bytes.data() + done, bytes.size() - done,
                                     static_cast<off_t>(offset + done));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) break;
    done += static_cast<std::size_t>(written);
  }
  return done;
}

std::size_t read_at(int descriptor, std::uint64_t offset, std::size_t bytes, std::string& into) {
  into.resize(bytes);
  std::size_t done = 0;
  errno = 0;
  while (done < bytes) {
    const ssize_t got =
        ::pread(descriptor, into.data() + done, bytes - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    done += static_cast<std::size_t>(got);
  }
  into.resize(done);
  return done;
}

bool force_directory(const std::string& directory) {
  const int descriptor = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return false;
  const bool done = ::fsync(descriptor) == 0;
  ::close(descriptor);
  return done;
}

}  // namespace

Result<std::unique_ptr<Journal>> Journal::open(
    const std::string& directory, const std::function<Status(std::string_view)>& take) {
  std::error_code error;
  std::filesystem::create_directories(directory, error);
  const std::string path = directory + "/journal";
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640);
  if (descriptor < 0) {
    return Status(StatusCode::failed_precondition,
                  failed(StatusCode::failed_precondition, "open " + path).message() +
                      "; set 'directory' to one that this user may write");
  }
  std::unique_ptr<Journal> journal(new Journal(descriptor));
  if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    return Status(StatusCode::failed_precondition, "another host has the store " + path +
                                                       " open; this storage serves one at a time");
  }
  if (Status status = journal->read(take); !status.ok()) return status.with_context(path);
  if (!force_directory(directory)) {
    return failed(StatusCode::unavailable, "force " + directory + " to the disk");
  }
  return journal;
}

Journal::~Journal() {
  ::close(descriptor_);
}

Status Journal::read(const std::function<Status(std::string_view)>& take) {
  std::string bytes;
  const std::size_t got = read_at(descriptor_, 0, kFormat.size(), bytes);
  if (got < kFormat.size() && kFormat.starts_with(bytes)) {  // new, or torn while it was made
    if (write_at(descriptor_, 0, kFormat) < kFormat.size() || ::fdatasync(descriptor_) != 0) {
      return failed(StatusCode::unavailable, "write");
    }
  } else if (bytes != kFormat) {
    return {StatusCode::failed_precondition,
            "it is no journal of this version of the plugin; use another directory, or the plugin "
            "that wrote it"};
  }
  end_ = kFormat.size();
  while (read_at(descriptor_, end_, kHead, bytes) == kHead) {
    const std::uint32_t length = number_at<std::uint32_t>(bytes, 0);
    const std::uint64_t sum = number_at<std::uint64_t>(bytes, 4);
    struct stat info {};
    if (::fstat(descriptor_, &info) != 0) return failed(StatusCode::unavailable, "look at it");
    if (end_ + kHead + length > static_cast<std::uint64_t>(info.st_size)) break;
    if (read_at(descriptor_, end_ + kHead, length, bytes) != length) break;
    if (checksum(bytes) != sum) break;
    if (Status status = take(bytes); !status.ok()) return status;
    end_ += kHead + length;
  }
  // Never reached by an acknowledgement: one entry at a time is written, and forced before it
  // counts.
  if (::ftruncate(descriptor_, static_cast<off_t>(end_)) != 0) {
    return failed(StatusCode::unavailable, "remove half an entry");
  }
  return {};
}

Journal::Outcome Journal::append(std::string_view entry, bool force) {
  if (broken_) {
    return {Written::no, {StatusCode::unavailable, "the journal failed; restart the host"}};
  }
  std::string bytes;
  put_number(bytes, static_cast<std::uint32_t>(entry.size()));
  put_number(bytes, checksum(entry));
  bytes += entry;
  if (write_at(descriptor_, end_, bytes) < bytes.size()) {
    Status why = failed(StatusCode::unavailable, "write to the journal");
    if (::ftruncate(descriptor_, static_cast<off_t>(end_)) == 0) return {Written::no, why};
    broken_ = true;
    return {Written::unknown, why};
  }
  if (force && ::fdatasync(descriptor_) != 0) {
    // What of it is on the disk nobody knows, and asking again would say that all is well.
    broken_ = true;
    return {Written::unknown, failed(StatusCode::unavailable, "force the journal to the disk")};
  }
  end_ += bytes.size();
  return {};
}

}  // namespace storage_journal
