#include "host_group.h"

#include <csignal>

#include "store_reading.h"

namespace vouch::prove {
namespace {

constexpr Seconds kStartPatience = 60;
constexpr Seconds kLeastPatience = 2;
constexpr Seconds kStopPatience = 10;
constexpr Seconds kBetweenLooks = 0.02;
constexpr Seconds kBetweenStarts = 0.5;

/// What a host's end says about the trial, by sysexits.h as `vouch serve` uses it.
StatusCode code_of(std::optional<int> exit_code) {
  constexpr int kUnavailable = 69;
  constexpr int kPermission = 77;
  if (exit_code == kUnavailable) return StatusCode::unavailable;
  if (exit_code == kPermission) return StatusCode::permission_denied;
  return StatusCode::failed_precondition;
}

}  // namespace

HostGroup::HostGroup(const ProveOptions& options, Scratch& scratch, HostAddresses& addresses,
                     const RunClock& clock, std::function<void()> idle, const EndRequest& end)
    : options_(options),
      scratch_(scratch),
      addresses_(addresses),
      clock_(clock),
      idle_(std::move(idle)),
      end_(end) {}

Status HostGroup::make_host(std::uint32_t number) {
  const std::string name = "h" + std::to_string(number + 1);
  auto draft = scratch_.draft_for(name);
  if (!draft.ok()) return draft.status();
  if (Status status = put_proxies(number, *draft); !status.ok()) return status;
  auto file = scratch_.write(*draft, name);
  if (!file.ok()) return file.status();
  HostCommand command;
  command.executable = options_.executable;
  command.arguments = {"serve", "--config", *file, "--lose-validation",
                       std::to_string(kLostValidation)};
  for (const std::string& directory : options_.plugin_directories) {
    command.arguments.insert(command.arguments.end(), {"--plugin-dir", directory});
  }
  command.environment = draft->environment();
  command.log = scratch_.plan().directory + "/" + name + ".log";
  hosts_.push_back(std::make_unique<HostProcess>(name, std::move(command)));
  return {};
}

Status HostGroup::put_proxies(std::uint32_t number, config::ConfigDraft& draft) {
  proxies_.emplace_back();
  for (const Link& link : links_of(draft, scratch_.uses())) {
    if (!link.unproxied.empty()) {
      if (number == 0) {
        notes_.push_back("Connections to " + link.name + " were left alone: " + link.unproxied +
                         ".");
      }
      continue;
    }
    auto proxy = proxy::Proxy::start(link.host, link.port);
    if (!proxy.ok()) return proxy.status().with_context(link.name);
    set_address(draft, scratch_.uses(), link, (*proxy)->port());
    proxies_.back().push_back(std::move(proxy).value());
    if (number == 0) links_.push_back(link.name);
  }
  return {};
}

Status HostGroup::start() {
  for (std::uint32_t i = 0; i < addresses_.count(); ++i) {
    if (Status status = make_host(i); !status.ok()) return status;
    if (Status status = bring_up(i); !status.ok()) return status;
  }
  running_ = true;
  return {};
}

Status HostGroup::bring_up(std::size_t host) {
  const Seconds until = clock_.now() + kStartPatience;
  while (true) {
    if (Status status = hosts_[host]->spawn(); !status.ok()) return status;
    Status status = wait_until_ready(host, until - clock_.now());
    const bool again = running_ && !status.ok() && !hosts_[host]->running() && !end_.at_once;
    if (!again || clock_.now() > until) return status;
    notes_.push_back("A start failed: " + status.message());
    wait(kBetweenStarts);
  }
}

Status HostGroup::revive() {
  for (std::size_t i = 0; i < hosts_.size(); ++i) {
    const auto words = hosts_[i]->ended();
    if (!words) continue;
    addresses_.set(i, 0);
    notes_.push_back(*words);
    if (Status status = bring_up(i); !status.ok()) return status;
  }
  return {};
}

Status HostGroup::wait_until_ready(std::size_t host, Seconds patience) {
  const Seconds until = clock_.now() + patience;
  std::optional<std::uint16_t> port;
  while (clock_.now() < until) {
    if (end_.at_once || (end_.early && !running_)) return ended_on_request();
    if (const auto words = hosts_[host]->ended()) {
      return {code_of(hosts_[host]->exit_code()), *words};
    }
    if (!port) port = hosts_[host]->port();
    if (port) addresses_.set(host, *port);
    if (port && StoreReading(*port).ready()) return {};
    wait(kBetweenLooks);
  }
  return {StatusCode::unavailable, hosts_[host]->name() + " was not ready within " +
                                       std::to_string(static_cast<int>(patience)) + " s:\n" +
                                       hosts_[host]->last_words()};
}

void HostGroup::wait(Seconds time) {
  const Seconds until = clock_.now() + time;
  do {
    idle_();
    pause_for(std::min(kBetweenLooks, std::max(until - clock_.now(), 0.0)));
  } while (clock_.now() < until && !end_.at_once);
}

Result<InjectedFault> HostGroup::inject(const Fault& fault) {
  if (Status status = revive(); !status.ok()) return status;
  HostProcess& host = *hosts_[fault.host];
  InjectedFault done{fault, host.name(), clock_.now(), 0};
  Status status;
  switch (fault.kind) {
    case FaultKind::kill:
      addresses_.set(fault.host, 0);
      host.kill();
      wait(fault.lasts);
      if (fault.amount > 0) {
        status = host.spawn();
        wait(fault.amount);
        host.kill();
      }
      if (status.ok()) status = bring_up(fault.host);
      break;
    case FaultKind::restart:
      host.stop(kStopPatience);
      addresses_.set(fault.host, 0);
      wait(fault.lasts);
      status = bring_up(fault.host);
      break;
    case FaultKind::stop:
      host.send(SIGSTOP);
      wait(fault.lasts);
      host.send(SIGCONT);
      break;
    default:
      done.on += " to " + links_[fault.link];
      disturb(*proxies_[fault.host][fault.link], fault);
      break;
  }
  if (status.ok() && end_.at_once) status = ended_on_request();
  if (!status.ok()) return status;
  done.ended = clock_.now();
  return done;
}

void HostGroup::disturb(proxy::Proxy& proxy, const Fault& fault) {
  switch (fault.kind) {
    case FaultKind::cut:
      proxy.cut_all();
      break;
    case FaultKind::refuse:
      proxy.refuse(true);
      proxy.cut_all();
      break;
    case FaultKind::hold:
      proxy.hold(true);
      break;
    case FaultKind::half_close:
      proxy.half_close_all();
      break;
    case FaultKind::lose_answer:
      proxy.lose_answers(true);
      break;
    case FaultKind::delay:
      proxy.delay_answers(std::chrono::microseconds(static_cast<std::int64_t>(fault.amount * 1e6)));
      break;
    default:
      break;
  }
  wait(fault.lasts);
  proxy.refuse(false);
  proxy.hold(false);
  proxy.lose_answers(false);
  proxy.delay_answers(std::chrono::microseconds(0));
}

Result<std::uint16_t> HostGroup::ready_port() {
  if (Status status = revive(); !status.ok()) return status;
  Status status(StatusCode::unavailable, "there is no host");
  const Seconds until = clock_.now() + kStartPatience;
  for (std::size_t i = 0; i < hosts_.size(); ++i) {
    status = wait_until_ready(i, std::max(until - clock_.now(), kLeastPatience));
    if (status.ok()) return addresses_.port(i);
  }
  for (std::size_t i = 0; i < hosts_.size() && !end_.at_once; ++i) {
    const std::uint16_t port = addresses_.port(i);
    if (port != 0 && StoreReading(port).undelivered()) return port;
  }
  return status;
}

void HostGroup::stop_all() {
  for (const auto& host : hosts_) host->send(SIGTERM);
  for (const auto& host : hosts_) host->stop(kStopPatience);
}

void HostGroup::kill_all() {
  for (const auto& host : hosts_) host->kill();
}

}  // namespace vouch::prove
