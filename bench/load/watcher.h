// Watcher: somebody who sees what was appended, on threads of its own: a follower of the host's
// feed, or a consumer of a broker.
#pragma once

#include <memory>
#include <string>

#include "sightings.h"

namespace vouch::bench {

class Watcher {
 public:
  Watcher() = default;
  virtual ~Watcher() = default;
  Watcher(const Watcher&) = delete;
  Watcher& operator=(const Watcher&) = delete;

  [[nodiscard]] Sightings& sightings() { return sightings_; }

 protected:
  Sightings sightings_;
};

/// A consumer of `mqtt://HOST:PORT/TOPIC` or `kafka://HOST:PORT/TOPIC`, reading from the topic's
/// beginning where the broker keeps one. It sees what comes once this has returned. Throws
/// std::runtime_error.
std::unique_ptr<Watcher> consumer_of(const std::string& address);

}  // namespace vouch::bench
