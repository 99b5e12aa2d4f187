// status: one screen about a running server.
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <thread>

#include "commands.h"
#include "exit_codes.h"
#include "status_sample.h"
#include "status_screen.h"
#include "terminal.h"

namespace vouch::app {
namespace {

std::size_t terminal_rows() {
  winsize size{};
  return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_row : 0;
}

bool put(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  return std::fflush(stdout) == 0 && std::ferror(stdout) == 0;
}

}  // namespace

int run(const StatusCommand& command) {
  auto client = ApiClient::make(command.url);
  if (!client.ok()) return report_failure(client.status());
  const bool terminal = isatty(STDOUT_FILENO) == 1;
  ScreenOptions options;
  options.url = command.url;
  options.colours = terminal && std::getenv("NO_COLOR") == nullptr;
  const auto pause = std::chrono::duration<double>(command.interval);

  auto before = take_status(*client);
  if (!before.ok() && !command.watch) return report_failure(before.status());
  for (;;) {
    std::this_thread::sleep_for(pause);
    auto now = take_status(*client);
    if (!now.ok() && !command.watch) return report_failure(now.status());
    std::string text;
    if (now.ok()) {
      options.rows = command.watch && terminal ? terminal_rows() : 0;
      text = status_screen(before.ok() ? *before : *now, *now, options);
    } else {
      text = command.url + ": " + now.status().message() + "\n";
    }
    // Home, the new screen, and nothing of the old one behind it.
    if (command.watch && terminal) text = "\033[H\033[2J" + text;
    if (!put(text)) return kExitOutput;
    if (!command.watch) return now->ready ? kExitOk : kExitUnavailable;
    before = std::move(now);
  }
}

}  // namespace vouch::app
