// HostGroup: the hosts of a run, their starts and ends, and the faults that are done to them. One
// thread, the one that made it.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "host_addresses.h"
#include "host_process.h"
#include "prove/report.h"
#include "proxy/proxy.h"
#include "run_clock.h"
#include "scratch.h"

namespace vouch::prove {

/// Of the validation messages, at every host, all the time.
inline constexpr double kLostValidation = 0.02;

class HostGroup {
 public:
  /// References must outlive it. `idle` is called again and again while something is waited for.
  HostGroup(const ProveOptions& options, Scratch& scratch, HostAddresses& addresses,
            const RunClock& clock, std::function<void()> idle, const EndRequest& end);

  /// Writes the configurations and starts all hosts; waits until they are ready.
  Status start();
  /// Does the fault, and waits until it is over. Errors: a host does not start, cancelled.
  Result<InjectedFault> inject(const Fault& fault);
  /// The port of a host that is ready; waits for one. If none is, of one that answers all the same:
  /// a broker may be out of reach. Errors: unavailable, cancelled.
  Result<std::uint16_t> ready_port();
  void stop_all();
  void kill_all();

  /// What is worth telling, since the last call.
  std::vector<std::string> take_notes() { return std::exchange(notes_, {}); }
  /// Proxied backends of each host.
  [[nodiscard]] std::uint32_t links() const { return static_cast<std::uint32_t>(links_.size()); }

 private:
  Status make_host(std::uint32_t number);
  /// Puts proxies between a host and its backends.
  Status put_proxies(std::uint32_t number, config::ConfigDraft& draft);
  void disturb(proxy::Proxy& proxy, const Fault& fault);
  /// Starts a host and waits until it is ready. Once all have been up, as whoever runs one does: it
  /// is started again when it ends at once.
  Status bring_up(std::size_t host);
  /// Starts hosts again that ended by themselves, and says so.
  Status revive();
  Status wait_until_ready(std::size_t host, Seconds patience);
  void wait(Seconds time);

  const ProveOptions& options_;
  Scratch& scratch_;
  HostAddresses& addresses_;
  const RunClock& clock_;
  const std::function<void()> idle_;
  const EndRequest& end_;
  std::vector<std::unique_ptr<HostProcess>> hosts_;
  std::vector<std::string> links_;                                   ///< names of proxied backends
  std::vector<std::vector<std::unique_ptr<proxy::Proxy>>> proxies_;  ///< by host and link
  std::vector<std::string> notes_;
  bool running_ = false;  ///< all have been up
};

}  // namespace vouch::prove
