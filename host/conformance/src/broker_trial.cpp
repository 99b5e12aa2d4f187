#include "broker_trial.h"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "vouch/scratch.h"

namespace vouch::conformance {
namespace {

constexpr std::chrono::seconds kConnectTime{20};
/// Larger payloads are not made to see them refused.
constexpr std::uint64_t kLargestPayload = std::uint64_t{256} << 20U;

/// Runs a shell command to its end, in a session of its own: a server that it leaves running does
/// not end with the case's processes. How it ended, in words; empty for exit code 0.
std::string run_apart(const std::string& command) {
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
  std::string shell = "sh";
  std::string option = "-c";
  std::string line = command;
  char* const arguments[] = {shell.data(), option.data(), line.data(), nullptr};
  pid_t child = 0;
  const int error = ::posix_spawn(&child, "/bin/sh", nullptr, &attributes, arguments, ::environ);
  ::posix_spawnattr_destroy(&attributes);
  if (error != 0) return std::string("it can't be run: ") + std::strerror(error);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFSIGNALED(status)) return "signal " + std::to_string(WTERMSIG(status));
  const int code = WEXITSTATUS(status);
  return code == 0 ? std::string() : "exit code " + std::to_string(code);
}

}  // namespace

BrokerTrial::BrokerTrial(Trial& trial) : trial_(trial), proxy_(trial.make_proxy()) {
  CasePlace place = trial.place();
  if (proxy_) place.server = "127.0.0.1:" + std::to_string(proxy_->port());
  const values::SettingValues settings = trial.settings(place);
  broker_ = std::make_unique<Made<Broker>>(trial, settings);
  Status status = (*broker_)->open();
  const bool opened = status.ok();
  if (opened) status = (*broker_)->ensure({}, kConnectTime);
  if (status.ok()) return;
  (*broker_)->close();
  throw ConformanceFailure(opened ? "waited for the broker to be connected" : "opened the broker",
                           "ok", status.to_string());
}

BrokerTrial::~BrokerTrial() {
  if (proxy_) proxy_->hold(false);
  void* const found = (*broker_)->query(ScratchTopics::kInterface);
  if (found != nullptr && !topics_.empty()) {
    ignore_status(static_cast<ScratchTopics*>(found)->remove(topics_, kConnectTime),
                  "a case may have closed the broker; topics that stay harm no other case");
  }
  (*broker_)->close();
}

std::string BrokerTrial::topic(const std::string& name) {
  topics_.push_back(std::string(kScratchPrefix) + trial_.place().id + "." + name);
  return topics_.back();
}

proxy::Proxy& BrokerTrial::proxy() {
  if (!proxy_) {
    throw CaseSkipped("needs --server HOST:PORT, and ${VOUCH_CASE_SERVER} in the settings");
  }
  if (!trial_.uses().server) {
    throw CaseSkipped("needs ${VOUCH_CASE_SERVER} as the server's address in the settings");
  }
  return *proxy_;
}

void BrokerTrial::withhold() {
  proxy().hold(true);
}

void BrokerTrial::release() {
  proxy().hold(false);
}

std::size_t BrokerTrial::more_than_subscription() {
  if (trial_.options().overflow > 0) return trial_.options().overflow;
  throw CaseSkipped("needs --overflow COUNT: more messages than one subscription holds");
}

void BrokerTrial::cut() {
  proxy().cut_all();
}

void BrokerTrial::restart() {
  const std::string& command = trial_.options().restart;
  if (command.empty()) throw CaseSkipped("needs --restart COMMAND: kills and starts the server");
  const std::string problem = run_apart(command);
  if (!problem.empty()) {
    throw ConformanceFailure("ran the command of --restart", "exit code 0", problem);
  }
}

std::string BrokerTrial::oversized() {
  const std::uint64_t most = broker().capabilities().max_message_bytes;
  if (most == 0) throw CaseSkipped("max_message_bytes is not declared");
  if (most > kLargestPayload) throw CaseSkipped("max_message_bytes is larger than 256 MiB");
  return std::string(most + most / 2 + 1, 'x');
}

}  // namespace vouch::conformance
