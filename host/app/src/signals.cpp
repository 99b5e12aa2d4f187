#include "signals.h"

#include <pthread.h>
#include <unistd.h>

#include <csignal>
#include <utility>

namespace vouch::app {
namespace {

/// Wakes the watching thread when the watch itself is over.
constexpr int kEndOfWatch = SIGUSR2;

sigset_t watched_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, kEndOfWatch}) sigaddset(&set, signal);
  return set;
}

}  // namespace

void ignore_broken_pipes() {
  struct sigaction ignore = {};
  ignore.sa_handler = SIG_IGN;
  sigaction(SIGPIPE, &ignore, nullptr);
}

void block_signals() {
  const sigset_t set = watched_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

SignalWatch::SignalWatch(SignalActions actions)
    : actions_(std::move(actions)), thread_([this] { watch(); }) {}

SignalWatch::~SignalWatch() {
  over_.store(true);
  pthread_kill(thread_.native_handle(), kEndOfWatch);
  thread_.join();
}

void SignalWatch::watch() {
  const sigset_t set = watched_signals();
  int stops = 0;
  while (true) {
    int signal = 0;
    if (sigwait(&set, &signal) != 0) continue;
    if (signal == kEndOfWatch) {
      if (over_.load()) return;
      continue;  // sent by somebody else
    }
    if (signal == SIGHUP) {
      actions_.reload();
      continue;
    }
    ++stops;
    if (stops == 1) actions_.drain(signal);
    if (stops == 2) actions_.hurry();
    if (stops > 2) _exit(128 + signal);
  }
}

}  // namespace vouch::app
