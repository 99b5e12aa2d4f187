#include "prove_progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "terminal.h"

namespace vouch::app {
namespace {

constexpr std::chrono::seconds kBetweenLines{10};
constexpr std::size_t kBar = 20;

std::size_t columns() {
  winsize size{};
  const bool known = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 20;
  return known ? size.ws_col : 80;
}

std::string bar(double part) {
  const auto full = static_cast<std::size_t>(std::clamp(part, 0.0, 1.0) * kBar);
  return "[" + std::string(full, '#') + std::string(kBar - full, '.') + "] ";
}

}  // namespace

std::string progress_line(const prove::Progress& progress, std::size_t width) {
  std::string line;
  if (progress.lasts > 0) line += bar(progress.passed / progress.lasts);
  char counts[160];
  std::snprintf(counts, sizeof counts, "%.0f s  %llu committed, %llu refused, %llu unanswered",
                progress.passed, static_cast<unsigned long long>(progress.committed),
                static_cast<unsigned long long>(progress.refused),
                static_cast<unsigned long long>(progress.unanswered));
  line += progress.phase + "  " + counts;
  if (!progress.fault.empty()) line += "  " + progress.fault;
  if (line.size() > width) line.resize(width);
  return line;
}

ProveProgress::ProveProgress() : terminal_(isatty(STDERR_FILENO) == 1) {}

void ProveProgress::clear() {
  if (line_is_open_) std::fputs("\r\033[K", stderr);
  line_is_open_ = false;
}

void ProveProgress::show(const prove::Progress& progress) {
  if (terminal_) {
    clear();
    std::fputs(progress_line(progress, columns() - 1).c_str(), stderr);
    std::fflush(stderr);
    line_is_open_ = true;
    return;
  }
  const auto now = std::chrono::steady_clock::now();
  if (progress.phase == phase_ && now < next_line_) return;
  phase_ = progress.phase;
  next_line_ = now + kBetweenLines;
  app::say(progress_line(progress, 200));
}

void ProveProgress::say(const std::string& words) {
  clear();
  app::say(words);
}

void ProveProgress::end() {
  clear();
}

}  // namespace vouch::app
