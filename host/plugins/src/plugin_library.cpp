// dlopen through Boost.DLL. Its exceptions end with an errno text that misleads ("Bad file
// descriptor" for a missing library), so only the loader's own words are used.
#include "plugins/plugin_library.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/dll/shared_library.hpp>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <string_view>
#include <system_error>
#include <vector>

#include "plugins/duration_text.h"

namespace vouch::plugins {
namespace {

Status refused(std::string words) {
  return Status(StatusCode::failed_precondition, std::move(words));
}

/// The text between the first `before` and the next `after`; empty if they are not there.
std::string between(std::string_view text, std::string_view before, std::string_view after) {
  const std::size_t start = text.find(before);
  if (start == std::string_view::npos) return {};
  text.remove_prefix(start + before.size());
  return std::string(text.substr(0, text.find(after)));
}

/// What the loader says, as what is missing and what to do.
std::string in_words(const std::string& path, const std::string& loader) {
  const std::string begin = path + " can't be loaded: ";
  if (loader.find("cannot open shared object file") != std::string::npos) {
    const std::string missing = loader.substr(0, loader.find(':'));
    return begin + "it needs " + missing + ", which is not installed here; install it (ldd " +
           path + " shows all it needs)";
  }
  if (const std::string symbol = between(loader, "undefined symbol: ", "\n"); !symbol.empty()) {
    return begin + "it needs the symbol " + symbol +
           ", which none of its libraries has; link it with vouch_add_plugin() and build it "
           "against "
           "the versions that are installed here";
  }
  if (const std::string version = between(loader, "version `", "'"); !version.empty()) {
    return begin + "it needs " + version + ", which " + loader.substr(0, loader.find(':')) +
           " does not have; rebuild the plugin on this system, or upgrade that library";
  }
  return begin + loader;
}

boost::dll::shared_library open_library(const std::string& path, std::string& problem) {
  using boost::dll::load_mode::rtld_local;
  using boost::dll::load_mode::rtld_now;
  boost::dll::shared_library library;
  std::error_code error;
  ::dlerror();
  library.load(path, rtld_now | rtld_local, error);
  if (!error) return library;
  const char* const loader = ::dlerror();
  problem = in_words(path, loader != nullptr ? loader : error.message());
  return library;
}

/// What an initialiser throws must end the child here, not run on in a copy of the host: noexcept.
[[noreturn]] void run_trial(const std::string& path, int report) noexcept {
  std::signal(SIGABRT, SIG_DFL);
  const rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  const int nowhere = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  ::dup2(nowhere, STDOUT_FILENO);
  ::dup2(nowhere, STDERR_FILENO);
  std::string problem;
  const boost::dll::shared_library library = open_library(path, problem);
  const char alive = 1;
  const ssize_t written = ::write(report, &alive, 1);
  ::_exit(written == 1 ? 0 : 1);
}

/// Whether the child reported before the time was over and before it ended.
bool reported(int descriptor, std::chrono::milliseconds limit, bool& timed_out) {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point end = Clock::now() + limit;
  while (true) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now());
    pollfd wait{descriptor, POLLIN, 0};
    const int ready = left.count() > 0 ? ::poll(&wait, 1, static_cast<int>(left.count())) : 0;
    if (ready < 0 && errno == EINTR) continue;
    timed_out = ready == 0;
    char alive = 0;
    return ready > 0 && ::read(descriptor, &alive, 1) == 1;
  }
}

int wait_for(pid_t child) {
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

}  // namespace

Result<const PluginDescriptor*> load_library(const std::string& path) {
  std::string problem;
  boost::dll::shared_library library = open_library(path, problem);
  if (!problem.empty()) return refused(problem);
  if (!library.has(kDescriptorSymbol)) {
    return refused(path + " does not give out its symbol " + kDescriptorSymbol +
                   "; link it with vouch_add_plugin()");
  }
  const auto& descriptor = library.get<const PluginDescriptor>(kDescriptorSymbol);
  // Never unloaded: an object or an exception of the plugin may outlive every owner that could be
  // named here. Reachable for leak checkers, destroyed by nobody.
  static auto* const kept = new std::vector<boost::dll::shared_library>();
  kept->push_back(std::move(library));
  return &descriptor;
}

Status try_library(const std::string& path, std::chrono::milliseconds limit) {
  int report[2];
  if (::pipe2(report, O_CLOEXEC) != 0) {
    return refused(path + " can't be tried: " + std::generic_category().message(errno));
  }
  const pid_t child = ::fork();
  if (child == 0) run_trial(path, report[1]);
  const int fork_error = errno;
  ::close(report[1]);
  if (child < 0) {
    ::close(report[0]);
    return refused(path + " can't be tried: " + std::generic_category().message(fork_error));
  }
  bool timed_out = false;
  const bool alive = reported(report[0], limit, timed_out);
  ::close(report[0]);
  if (!alive) ::kill(child, SIGKILL);
  const int status = wait_for(child);
  if (alive) return {};
  if (timed_out) {
    return refused(path + " did not finish loading within " + duration_text(limit) +
                   ": an initialiser of it, or of a library that it needs, hangs; report it to the "
                   "plugin's vendor");
  }
  const std::string how = WIFSIGNALED(status)
                              ? std::string("signal ") + std::to_string(WTERMSIG(status)) + ", " +
                                    ::strsignal(WTERMSIG(status))
                              : "exit code " + std::to_string(WEXITSTATUS(status));
  return refused(path + " ends the process that loads it (" + how +
                 "): an initialiser of it, or of a library that it needs, throws or crashes; "
                 "report it to the plugin's vendor");
}

}  // namespace vouch::plugins
