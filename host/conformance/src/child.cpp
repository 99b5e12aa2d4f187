// The child tells its verdict through one pipe, and everything that it prints goes into another.
#include "child.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <thread>

#include "proxy/file_descriptor.h"
#include "vouch/conformance/case.h"

namespace vouch::conformance {
namespace {

using proxy::FileDescriptor;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kLongestText = 16'384;  ///< of a verdict
constexpr std::size_t kKeptOutput = 8'192;
constexpr std::size_t kKeptLines = 20;
/// How long a process that ended is given to become one that can be waited for.
constexpr std::chrono::milliseconds kTick{50};

struct Pipe {
  Pipe() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) {
      throw std::runtime_error(std::string("can't make a pipe: ") + std::strerror(errno));
    }
    read.reset(ends[0]);
    write.reset(ends[1]);
  }
  FileDescriptor read;
  FileDescriptor write;
};

/// Four texts, each with a zero byte at its end: the kind's number first.
std::string packed(const Ending& ending) {
  std::string out;
  const std::string kind = std::to_string(static_cast<int>(ending.kind));
  for (const std::string* text :
       {&kind, &ending.done, &ending.expected,
        ending.kind == Ending::Kind::skipped ? &ending.reason : &ending.came_back}) {
    std::string part = text->substr(0, kLongestText);
    std::ranges::replace(part, '\0', ' ');
    out += part + '\0';
  }
  return out;
}

std::optional<Ending> unpacked(std::string_view text) {
  std::array<std::string, 4> parts;
  for (std::string& part : parts) {
    const std::size_t end = text.find('\0');
    if (end == std::string_view::npos) return std::nullopt;
    part = text.substr(0, end);
    text.remove_prefix(end + 1);
  }
  Ending ending;
  ending.kind = static_cast<Ending::Kind>(parts[0].front() - '0');
  ending.done = parts[1];
  ending.expected = parts[2];
  (ending.kind == Ending::Kind::skipped ? ending.reason : ending.came_back) = parts[3];
  return ending;
}

[[noreturn]] void run_as_child(const std::function<void()>& body, Pipe& verdict, Pipe& output) {
  ::setpgid(0, 0);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  ::dup2(::open("/dev/null", O_RDONLY | O_CLOEXEC), STDIN_FILENO);
  ::dup2(output.write.get(), STDOUT_FILENO);
  ::dup2(output.write.get(), STDERR_FILENO);
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  verdict.read.reset();
  output.read.reset();
  const std::string told = packed(run_here(body));
  std::string_view rest = told;
  while (!rest.empty()) {
    const ssize_t written = ::write(verdict.write.get(), rest.data(), rest.size());
    if (written <= 0) break;
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
  verdict.write.reset();
  // As a host ends: what the plugin left behind is torn down, and must not crash.
  std::exit(0);
}

/// What a child said, how it ended.
struct Observed {
  std::string verdict;
  std::string output;
  bool timed_out = false;
  int status = 0;
};

/// Takes what a pipe holds; false at its end.
bool take(const FileDescriptor& from, std::string& into, std::size_t keep) {
  std::array<char, 4'096> bytes;
  const ssize_t got = ::read(from.get(), bytes.data(), bytes.size());
  if (got < 0) return errno == EINTR || errno == EAGAIN;
  into.append(bytes.data(), static_cast<std::size_t>(got));
  if (into.size() > keep) into.erase(0, into.size() - keep);
  return got > 0;
}

Observed observe(pid_t child, Pipe& verdict, Pipe& output, Clock::time_point end) {
  Observed seen;
  ::fcntl(verdict.read.get(), F_SETFL, O_NONBLOCK);
  ::fcntl(output.read.get(), F_SETFL, O_NONBLOCK);
  std::array<pollfd, 2> waits{{{verdict.read.get(), POLLIN, 0}, {output.read.get(), POLLIN, 0}}};
  bool ended = false;
  // A process that the plugin left behind may keep the pipes open: the child's end counts.
  while (!ended) {
    if (Clock::now() > end) {
      seen.timed_out = true;
      ::kill(-child, SIGKILL);
      ::kill(child, SIGKILL);
      ::waitpid(child, &seen.status, 0);
      break;
    }
    if (waits[0].fd < 0 && waits[1].fd < 0) std::this_thread::sleep_for(kTick / 10);
    ::poll(waits.data(), waits.size(), waits[0].fd < 0 ? 5 : static_cast<int>(kTick.count()));
    ended = ::waitpid(child, &seen.status, WNOHANG) == child;
    if (waits[0].revents != 0 && !take(verdict.read, seen.verdict, 5 * kLongestText)) {
      waits[0].fd = -1;
    }
    if (waits[1].revents != 0 && !take(output.read, seen.output, kKeptOutput)) waits[1].fd = -1;
  }
  while (waits[0].fd >= 0 && ::poll(waits.data(), 1, 0) > 0 &&
         take(verdict.read, seen.verdict, 5 * kLongestText)) {
  }
  while (waits[1].fd >= 0 && ::poll(&waits[1], 1, 0) > 0 &&
         take(output.read, seen.output, kKeptOutput)) {
  }
  // What the case started and left running.
  ::kill(-child, SIGKILL);
  return seen;
}

std::string signal_in_words(int number) {
  const char* const name = ::sigabbrev_np(number);
  const char* const words = ::sigdescr_np(number);
  return "signal " + std::to_string(number) +
         (name == nullptr ? "" : std::string(" (SIG") + name + ", " + words + ")");
}

std::vector<std::string> last_lines(std::string_view output) {
  std::vector<std::string> lines;
  while (!output.empty()) {
    const std::size_t end = std::min(output.find('\n'), output.size());
    if (end > 0) lines.emplace_back(output.substr(0, end));
    output.remove_prefix(std::min(end + 1, output.size()));
  }
  if (lines.size() > kKeptLines) {
    lines.erase(lines.begin(), lines.end() - static_cast<std::ptrdiff_t>(kKeptLines));
  }
  return lines;
}

Ending ending_of(const Observed& seen, std::chrono::seconds limit) {
  const std::optional<Ending> told = unpacked(seen.verdict);
  const std::string done = told ? "ended the process after the case" : "ran the case";
  if (told && told->kind == Ending::Kind::failed) return *told;
  if (seen.timed_out) {
    return Ending::failed(done, "an end within " + std::to_string(limit.count()) + " s",
                          "none: it hung and was killed");
  }
  if (WIFSIGNALED(seen.status)) {
    return Ending::failed(done, told ? "a clean end" : "the process to live",
                          "the process died of " + signal_in_words(WTERMSIG(seen.status)));
  }
  if (!told || WEXITSTATUS(seen.status) != 0) {
    return Ending::failed(
        done, told ? "a clean end" : "the process to live",
        "the process ended with exit code " + std::to_string(WEXITSTATUS(seen.status)));
  }
  return *told;
}

}  // namespace

Ending run_here(const std::function<void()>& body) {
  const auto begin = Clock::now();
  Ending ending;
  try {
    body();
  } catch (const ConformanceFailure& failure) {
    ending = Ending::failed(failure.done(), failure.expected(), failure.came_back());
  } catch (const CaseSkipped& skipped) {
    ending.kind = Ending::Kind::skipped;
    ending.reason = skipped.what();
  } catch (const std::exception& error) {
    ending = Ending::failed("ran the case", "no exception", std::string("one: ") + error.what());
  } catch (...) {
    ending = Ending::failed("ran the case", "no exception", "one that is no std::exception");
  }
  ending.time = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begin);
  return ending;
}

Ending run_in_child(const std::function<void()>& body, std::chrono::seconds limit) {
  const auto begin = Clock::now();
  Pipe verdict;
  Pipe output;
  std::fflush(nullptr);
  const pid_t child = ::fork();
  if (child == 0) run_as_child(body, verdict, output);
  if (child < 0) throw std::runtime_error(std::string("can't fork: ") + std::strerror(errno));
  ::setpgid(child, child);
  verdict.write.reset();
  output.write.reset();
  const Observed seen = observe(child, verdict, output, begin + limit);
  Ending ending = ending_of(seen, limit);
  if (ending.kind == Ending::Kind::failed) ending.log = last_lines(seen.output);
  ending.time = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begin);
  return ending;
}

}  // namespace vouch::conformance
