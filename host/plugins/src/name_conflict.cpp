// Asks the dynamic loader itself: `ld.so --list FILE` (ld.so(8)) says which file it finds for each
// name that the library needs, directly or not, in a process that holds nothing else.
#include "name_conflict.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <spawn.h>
#include <sys/auxv.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <utility>
#include <vector>

namespace vouch::plugins {
namespace {

namespace fs = std::filesystem;

/// The files of all libraries that this process holds.
std::set<std::string> loaded_files() {
  std::set<std::string> files;
  const auto take = [](dl_phdr_info* info, std::size_t, void* into) {
    if (info->dlpi_name != nullptr && info->dlpi_name[0] == '/') {
      static_cast<std::set<std::string>*>(into)->insert(info->dlpi_name);
    }
    return 0;
  };
  ::dl_iterate_phdr(take, &files);
  return files;
}

/// The dynamic loader's own file; empty where there is none (a static executable).
std::string loader_file() {
  std::string file;
  const auto take = [](dl_phdr_info* info, std::size_t, void* into) {
    if (info->dlpi_addr != ::getauxval(AT_BASE) || info->dlpi_addr == 0) return 0;
    *static_cast<std::string*>(into) = info->dlpi_name;
    return 1;
  };
  ::dl_iterate_phdr(take, &file);
  return file;
}

/// What a program printed; empty when it can't be run.
std::string output_of(std::vector<std::string> words) {
  int out[2];
  if (::pipe2(out, O_CLOEXEC) != 0) return {};
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
  ::posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  pid_t child = 0;
  const int failed =
      ::posix_spawn(&child, arguments[0], &actions, nullptr, arguments.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  ::close(out[1]);
  std::string text;
  if (failed == 0) {
    char buffer[4096];
    ssize_t got = 0;
    while ((got = ::read(out[0], buffer, sizeof(buffer))) > 0 || (got < 0 && errno == EINTR)) {
      if (got > 0) text.append(buffer, static_cast<std::size_t>(got));
    }
    while (::waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  ::close(out[0]);
  return text;
}

/// File by name, of "\tNAME => FILE (0x…)".
std::map<std::string, std::string> needed_by(const std::string& path) {
  std::map<std::string, std::string> needed;
  const std::string loader = loader_file();
  const std::string listed = loader.empty() ? std::string() : output_of({loader, "--list", path});
  const std::string_view arrow = " => ";
  for (std::size_t at = 0; at < listed.size();) {
    const std::size_t end = std::min(listed.find('\n', at), listed.size());
    const std::string line = listed.substr(at, end - at);
    at = end + 1;
    const std::size_t middle = line.find(arrow);
    const std::size_t address = line.rfind(" (0x");
    if (middle == std::string::npos || address == std::string::npos || line[0] != '\t') continue;
    const std::size_t file = middle + arrow.size();
    if (address > file) needed[line.substr(1, middle - 1)] = line.substr(file, address - file);
  }
  return needed;
}

/// The file that this process holds under that name; empty if none.
std::string loaded_as(const std::string& name) {
  void* const handle = ::dlopen(name.c_str(), RTLD_LAZY | RTLD_NOLOAD);
  if (handle == nullptr) return {};
  link_map* map = nullptr;
  const bool known = ::dlinfo(handle, RTLD_DI_LINKMAP, &map) == 0;
  std::string file = known ? map->l_name : "";
  ::dlclose(handle);
  return file;
}

bool same_bytes(const std::string& one, const std::string& other) {
  std::error_code error;
  if (fs::equivalent(one, other, error)) return true;
  if (fs::file_size(one, error) != fs::file_size(other, error)) return false;
  std::ifstream left(one, std::ios::binary);
  std::ifstream right(other, std::ios::binary);
  using Bytes = std::istreambuf_iterator<char>;
  return left && right && std::equal(Bytes(left), Bytes(), Bytes(right), Bytes());
}

}  // namespace

Status check_library_names(const std::string& path) {
  // Taken before the first plugin is loaded.
  static const std::set<std::string> of_host = loaded_files();
  if (loaded_files() == of_host) return {};
  for (const auto& [name, file] : needed_by(path)) {
    const std::string loaded = loaded_as(name);
    if (loaded.empty() || of_host.contains(loaded) || same_bytes(loaded, file)) continue;
    std::string words = path;
    words.append(" needs ").append(name).append(" of ").append(file);
    words.append(", but another library of that name is loaded already (").append(loaded);
    words
        .append("), and a process holds only one of a name; give one of them another soname, link ")
        .append("it statically into its plugin, or build both plugins with the same one");
    return {StatusCode::failed_precondition, std::move(words)};
  }
  return {};
}

}  // namespace vouch::plugins
