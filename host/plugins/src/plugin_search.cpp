// Looks for plugin files in the order: command line, config, environment, built in.
#include "plugin_search.h"

#include <algorithm>
#include <cstdlib>
#include <sstream>

#include "vouch/values/setting_values.h"

namespace vouch::plugins {
namespace {

namespace fs = std::filesystem;

/// Why `directory` holds no such file; empty if it does.
std::string why_not(const fs::path& directory, const fs::path& file) {
  std::error_code error;
  const fs::file_status status = fs::status(directory, error);
  if (status.type() == fs::file_type::not_found) return "directory does not exist";
  if (status.type() == fs::file_type::none) return error.message();
  if (status.type() != fs::file_type::directory) return "not a directory";
  const fs::file_status found = fs::status(file, error);
  if (found.type() == fs::file_type::not_found) return "no such file";
  if (found.type() == fs::file_type::none) return error.message();
  return {};
}

std::vector<fs::path> libraries_in(const fs::path& directory) {
  std::vector<fs::path> files;
  std::error_code error;
  for (fs::directory_iterator at(directory, error), end; !error && at != end; at.increment(error)) {
    if (at->path().extension() == ".so") files.push_back(at->path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

/// Beside the executable as in a build tree, as in an installed one (which may have been moved),
/// and where it was to be installed.
std::vector<fs::path> built_in_directories() {
  std::vector<fs::path> directories;
  std::error_code error;
  const fs::path executable = fs::read_symlink("/proc/self/exe", error);
  if (!error) {
    directories.push_back(executable.parent_path() / "../lib/vouch/plugins");
    directories.push_back(executable.parent_path() / VOUCH_PLUGINS_FROM_EXECUTABLE);
  }
  directories.emplace_back(VOUCH_INSTALLED_PLUGIN_DIRECTORY);
  return directories;
}

}  // namespace

SearchPath default_search_path() {
  SearchPath path;
  if (const char* const given = std::getenv("VOUCH_PLUGIN_PATH"); given != nullptr) {
    std::istringstream stream{std::string(given)};
    for (std::string directory; std::getline(stream, directory, ':');) {
      if (!directory.empty()) path.environment.push_back(directory);
    }
  }
  for (const fs::path& directory : built_in_directories()) {
    const std::string text = directory.lexically_normal().string();
    const auto same = std::find(path.built_in.begin(), path.built_in.end(), text);
    if (same == path.built_in.end()) path.built_in.push_back(text);
  }
  return path;
}

void PluginSearch::add_config_directories(const std::vector<std::string>& directories) {
  for (const std::string& directory : directories) {
    if (std::find(path_.config.begin(), path_.config.end(), directory) == path_.config.end()) {
      path_.config.push_back(directory);
    }
  }
}

bool PluginSearch::is_name(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
  });
}

Result<std::string> PluginSearch::find(PluginKind kind, const std::string& name) const {
  std::string tried;
  for (const Directory& directory : directories()) {
    const fs::path file = directory.path / (name + ".so");
    const std::string why = why_not(directory.path, file);
    if (why.empty()) return file.string();
    tried += "\n  " + file.string() + " (" + directory.source + "): " + why;
  }
  if (tried.empty()) tried = " no directory at all; give one with --plugin-dir";
  return Status(StatusCode::not_found,
                "there is no plugin '" + name + "'" + hint(kind, name) + "; looked for:" + tried);
}

std::vector<std::string> PluginSearch::all() const {
  std::vector<std::string> files;
  for (const Directory& directory : directories()) {
    for (const fs::path& file : libraries_in(directory.path)) {
      if (std::find(files.begin(), files.end(), file.string()) == files.end()) {
        files.push_back(file.string());
      }
    }
  }
  return files;
}

std::vector<PluginSearch::Directory> PluginSearch::directories() const {
  std::vector<Directory> directories;
  const auto add = [&](const std::vector<std::string>& paths, const char* source) {
    for (const std::string& path : paths) {
      if (path.empty()) continue;
      fs::path absolute = fs::absolute(path).lexically_normal();
      if (!absolute.has_filename()) absolute = absolute.parent_path();  // of a trailing slash
      directories.push_back({std::move(absolute), source});
    }
  };
  add(path_.command_line, "--plugin-dir");
  add(path_.config, "plugins.search_path");
  add(path_.environment, "VOUCH_PLUGIN_PATH");
  add(path_.built_in, "built in");
  return directories;
}

std::string PluginSearch::hint(PluginKind kind, const std::string& name) const {
  std::vector<std::string> names;
  for (const std::string& file : all()) names.push_back(fs::path(file).stem().string());
  const std::string whole = std::string(to_string(kind)) + "-" + name;
  std::string near;
  if (std::find(names.begin(), names.end(), whole) != names.end()) {
    near = whole;
  } else {
    const std::vector<std::string_view> known(names.begin(), names.end());
    near = values::nearest(name, known).value_or(values::nearest(whole, known).value_or(""));
  }
  return near.empty() ? "" : " (did you mean " + near + "?)";
}

std::vector<std::string> writable_by_others(const std::string& path) {
  std::vector<std::string> warnings;
  for (const fs::path& checked : {fs::path(path), fs::path(path).parent_path()}) {
    std::error_code error;
    const fs::perms permissions = fs::status(checked, error).permissions();
    if (error || (permissions & fs::perms::others_write) == fs::perms::none) continue;
    warnings.push_back(checked.string() +
                       " can be written by every user of this machine, and the host runs what is "
                       "in it; take that right away (chmod o-w)");
  }
  return warnings;
}

}  // namespace vouch::plugins
