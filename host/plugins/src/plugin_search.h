// Where plugin files are, and in words where they are not. Touches directories, loads nothing.
// [startup], one thread.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "plugins/plugin_catalog.h"

namespace vouch::plugins {

class PluginSearch {
 public:
  explicit PluginSearch(SearchPath path) : path_(std::move(path)) {}

  void add_config_directories(const std::vector<std::string>& directories);

  /// Whether it can be a plugin's name: [a-z0-9-]+.
  static bool is_name(std::string_view text);

  /// The absolute path of the first file NAME.so. Errors: not_found with every directory that was
  /// tried, why it did not help, and the nearest name that is there.
  [[nodiscard]] Result<std::string> find(PluginKind kind, const std::string& name) const;

  /// Every *.so, directory by directory, sorted by name; no file twice.
  [[nodiscard]] std::vector<std::string> all() const;

 private:
  struct Directory {
    std::filesystem::path path;
    std::string source;
  };
  [[nodiscard]] std::vector<Directory> directories() const;
  [[nodiscard]] std::string hint(PluginKind kind, const std::string& name) const;

  SearchPath path_;
};

/// What makes it too easy to slip another library in: the file or its directory can be written by
/// everybody. One sentence for each.
std::vector<std::string> writable_by_others(const std::string& path);

}  // namespace vouch::plugins
