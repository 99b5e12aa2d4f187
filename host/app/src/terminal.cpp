#include "terminal.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string>

namespace vouch::app {
namespace {

bool colours(int descriptor) {
  static const bool refused = std::getenv("NO_COLOR") != nullptr;
  return !refused && isatty(descriptor) == 1;
}

void write_error(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stderr);
}

}  // namespace

void say(std::string_view message) {
  write_error("vouch: " + std::string(message) + "\n");
}

void say_error(std::string_view message) {
  const bool coloured = colours(STDERR_FILENO);
  write_error(std::string("vouch: ") + (coloured ? "\033[31merror\033[0m" : "error") + ": " +
              std::string(message) + "\n");
}

bool put_line(std::string_view line) {
  std::fwrite(line.data(), 1, line.size(), stdout);
  std::fputc('\n', stdout);
  return std::fflush(stdout) == 0 && std::ferror(stdout) == 0;
}

void put_bold(std::string_view text) {
  const bool coloured = colours(STDOUT_FILENO);
  if (coloured) std::fputs("\033[1m", stdout);
  std::fwrite(text.data(), 1, text.size(), stdout);
  if (coloured) std::fputs("\033[0m", stdout);
}

}  // namespace vouch::app
