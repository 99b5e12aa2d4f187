// SmallDisk: a file system of some megabytes in memory, for tests that fill it. Needs root. One
// thread.
#pragma once

#include <pwd.h>
#include <sys/mount.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

namespace vouch::tests {

class SmallDisk {
 public:
  /// Belongs to `owner` (root if there is no such user). Mounted over the directory `at`, or over
  /// one of its own. Check `mounted` before use.
  SmallDisk(unsigned megabytes, const char* owner, std::filesystem::path at = {})
      : path_(std::move(at)), own_(path_.empty()) {
    if (own_) {
      std::string path = (std::filesystem::temp_directory_path() / "vouch-disk-XXXXXX").string();
      if (::mkdtemp(path.data()) == nullptr) throw std::runtime_error("no temporary directory");
      path_ = path;
    }
    const passwd* const user = ::getpwnam(owner);
    const std::string options = "size=" + std::to_string(megabytes) + "m,mode=0777" +
                                (user == nullptr ? ""
                                                 : ",uid=" + std::to_string(user->pw_uid) +
                                                       ",gid=" + std::to_string(user->pw_gid));
    mounted_ = ::mount("tmpfs", path_.c_str(), "tmpfs", 0, options.c_str()) == 0;
    // ctest counts a test that prints this as skipped.
    if (!mounted_) {
      std::printf("SKIPPED: no file system can be mounted here: %s\n", std::strerror(errno));
    }
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  ~SmallDisk() {
    if (mounted_) ::umount2(path_.c_str(), MNT_DETACH);
    std::error_code ignored;
    if (own_) std::filesystem::remove(path_, ignored);
  }

  [[nodiscard]] bool mounted() const { return mounted_; }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

  /// Takes the space away, all but some bytes.
  void fill_all_but(std::uint64_t bytes) const {
    const std::uint64_t free = std::filesystem::space(path_).free;
    if (free <= bytes) return;
    const std::string block(1U << 16U, 'x');
    const std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(filler().c_str(), "a"), fclose);
    if (file == nullptr) throw std::runtime_error("can't write " + filler().string());
    for (std::uint64_t left = free - bytes; left > 0;) {
      const std::size_t some = std::min<std::uint64_t>(left, block.size());
      if (std::fwrite(block.data(), 1, some, file.get()) != some) break;
      left -= some;
    }
  }
  /// Gives it back.
  void free() const { std::filesystem::remove(filler()); }

 private:
  [[nodiscard]] std::filesystem::path filler() const { return path_ / "filler"; }

  std::filesystem::path path_;
  bool own_;
  bool mounted_ = false;
};

}  // namespace vouch::tests
