// Outage: what the clients of one broker object have to say of the way to the servers, said in the
// log once for all of them: a broker object has four clients, and an operator one problem.
// [any-thread]
#pragma once

#include <mutex>
#include <set>
#include <string>

#include "vouch/host_services.h"

namespace vouch::kafka {

class Outage {
 public:
  /// `servers`: for people.
  Outage(std::string servers, HostServices& services);

  /// That client can't reach them.
  void down(const std::string& client, const std::string& reason);
  /// That client reaches them.
  void up(const std::string& client);

 private:
  const std::string servers_;
  HostServices& services_;
  std::mutex mutex_;
  std::set<std::string> down_;
  std::string told_;  ///< the reason that stands in the log; empty while nothing is wrong
};

/// librdkafka's reason without its own names and numbers, and with the setting that may be wrong.
/// `servers` is left out where the reason speaks of no other.
std::string for_people(const char* reason, const std::string& servers);

}  // namespace vouch::kafka
