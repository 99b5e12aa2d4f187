#include "host_process.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>

#include "run_clock.h"

namespace vouch::prove {
namespace {

/// `NAME=value` texts and the array of pointers that exec takes.
class Texts {
 public:
  void add(std::string text) { texts_.push_back(std::move(text)); }
  char** pointers() {
    pointers_.clear();
    for (std::string& text : texts_) pointers_.push_back(text.data());
    pointers_.push_back(nullptr);
    return pointers_.data();
  }

 private:
  std::vector<std::string> texts_;
  std::vector<char*> pointers_;
};

/// Runs in the child, between fork and exec: nothing but calls that are safe there
/// (signal-safety(7)).
[[noreturn]] void become(const char* executable, char** arguments, char** environment, int log) {
  ::setpgid(0, 0);  // Ctrl-C is for the parent, who ends it
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  const int nothing = ::open("/dev/null", O_RDONLY);
  ::dup2(nothing, STDIN_FILENO);
  ::dup2(log, STDOUT_FILENO);
  ::dup2(log, STDERR_FILENO);
  ::execve(executable, arguments, environment);
  ::_exit(127);
}

}  // namespace

HostProcess::HostProcess(std::string name, HostCommand command)
    : name_(std::move(name)), command_(std::move(command)) {}

HostProcess::~HostProcess() {
  kill();
}

Status HostProcess::spawn() {
  Texts arguments;
  arguments.add(command_.executable);
  for (const std::string& argument : command_.arguments) arguments.add(argument);
  Texts environment;
  for (char** each = environ; *each != nullptr; ++each) environment.add(*each);
  for (const auto& [name, value] : command_.environment) {
    environment.add(std::string(name).append("=").append(value));
  }
  char** const argument_list = arguments.pointers();
  char** const environment_list = environment.pointers();

  const int log = ::open(command_.log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (log < 0) {
    return {StatusCode::unavailable, "can't write " + command_.log + ": " + std::strerror(errno)};
  }
  log_start_ = ::lseek(log, 0, SEEK_END);
  const pid_t child = ::fork();
  if (child == 0) become(command_.executable.c_str(), argument_list, environment_list, log);
  const int error = errno;
  ::close(log);
  if (child < 0) {
    return {StatusCode::unavailable, std::string("can't start a host: ") + std::strerror(error)};
  }
  process_ = child;
  return {};
}

std::string HostProcess::words_since_start() const {
  std::ifstream in(command_.log, std::ios::binary);
  in.seekg(log_start_);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

std::optional<std::uint16_t> HostProcess::port() {
  const std::string words = words_since_start();
  const auto line = words.find("listening");
  if (line == std::string::npos) return std::nullopt;
  static constexpr std::string_view kAddress = "127.0.0.1:";
  const auto address = words.find(kAddress, line);
  const auto end = words.find('\n', line);
  if (address == std::string::npos || end == std::string::npos || address > end)
    return std::nullopt;
  std::uint16_t port = 0;
  std::from_chars(words.data() + address + kAddress.size(), words.data() + end, port);
  return port == 0 ? std::nullopt : std::optional(port);
}

std::string HostProcess::last_words(std::size_t lines) const {
  std::string words = words_since_start();
  while (!words.empty() && words.back() == '\n') words.pop_back();
  std::size_t begin = words.size();
  while (lines > 0 && begin != std::string::npos && begin > 0) {
    begin = words.rfind('\n', begin - 1);
    --lines;
  }
  return begin == std::string::npos || begin == 0 ? words : words.substr(begin + 1);
}

bool HostProcess::reap(bool wait) {
  if (process_ < 0) return true;
  int result = 0;
  pid_t got = 0;
  do {
    got = ::waitpid(process_, &result, wait ? 0 : WNOHANG);
  } while (got < 0 && errno == EINTR);
  if (got == 0) return false;
  result_ = result;
  process_ = -1;
  return true;
}

std::optional<std::string> HostProcess::ended() {
  if (!reap(false)) return std::nullopt;
  std::string how = name_ + " ended by itself";
  if (WIFEXITED(result_)) how += " with exit code " + std::to_string(WEXITSTATUS(result_));
  if (WIFSIGNALED(result_)) how += " by signal " + std::to_string(WTERMSIG(result_));
  return how + ":\n" + last_words();
}

std::optional<int> HostProcess::exit_code() const {
  return WIFEXITED(result_) ? std::optional(WEXITSTATUS(result_)) : std::nullopt;
}

void HostProcess::send(int signal) {
  if (process_ > 0) ::kill(process_, signal);
}

void HostProcess::kill() {
  send(SIGKILL);
  reap(true);
}

void HostProcess::stop(Seconds patience) {
  send(SIGTERM);
  for (Seconds waited = 0; waited < patience; waited += 0.02) {
    if (reap(false)) return;
    pause_for(0.02);
  }
  kill();
}

}  // namespace vouch::prove
