#include "options.h"

#include <filesystem>

namespace vouch::sqlite {

namespace {

/// One name for one file, so that two paths to it meet at the same lock.
std::string canonical(const std::string& path) {
  std::error_code error;
  std::filesystem::path absolute = std::filesystem::absolute(path, error);
  if (error) return path;
  const std::filesystem::path real = std::filesystem::weakly_canonical(absolute, error);
  return error ? absolute.string() : real.string();
}

}  // namespace

Options options_from(const Settings& settings) {
  Options options;
  options.path = canonical(settings.text("path"));
  options.busy_timeout =
      std::chrono::duration_cast<std::chrono::milliseconds>(settings.duration("busy_timeout"));
  options.cache_bytes = settings.size("cache_size");
  options.checkpoint_bytes = settings.size("wal_autocheckpoint");
  options.mmap_bytes = settings.size("mmap_size");
  options.readers = static_cast<std::uint32_t>(settings.integer("readers"));
  return options;
}

void validate_settings(const Settings& settings, SettingProblems& problems) {
  if (!settings.has("path")) return;
  const std::string path = settings.text("path");
  if (path.empty() || path.back() == '/') {
    problems.problem("path", "is not the name of a file");
  }
  if (path.find(":memory:") != std::string::npos || path.starts_with("file:")) {
    problems.problem("path",
                     "a store lives in a file on disk; a SQLite URI or \":memory:\" can't keep it");
  }
}

}  // namespace vouch::sqlite
