// What the catalog's tests share: a directory of its own for each test, with copies of fixtures.
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>

#include "plugins/plugin_catalog.h"

namespace vouch::plugins {

class Directory {
 public:
  Directory() {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "vouch-plugins-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary directory");
    path_ = pattern;
  }
  ~Directory() { std::filesystem::remove_all(path_); }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;

  [[nodiscard]] std::string path() const { return path_.string(); }
  [[nodiscard]] std::string file(const std::string& name) const { return path_ / name; }
  std::string copy(const std::string& fixture, const std::string& as = {}) {
    const std::string target = file((as.empty() ? fixture : as) + ".so");
    std::filesystem::copy_file(std::filesystem::path(VOUCH_TEST_FIXTURES) / (fixture + ".so"),
                               target);
    return target;
  }
  std::string write(const std::string& name, const std::string& text) {
    std::ofstream(file(name), std::ios::binary) << text;
    return file(name);
  }

 private:
  std::filesystem::path path_;
};

inline SearchPath only(const std::string& directory) {
  SearchPath path;
  path.config = {directory};
  return path;
}

/// `text` with every "{path}" replaced.
inline std::string with_path(std::string text, const std::string& path) {
  const std::string mark = "{path}";
  for (std::size_t at = 0; (at = text.find(mark, at)) != std::string::npos; at += path.size()) {
    text.replace(at, mark.size(), path);
  }
  return text;
}

}  // namespace vouch::plugins
