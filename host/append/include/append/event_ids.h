// EventIds draws KSUIDs that rise within this host: a new random payload for each second, then
// payload + 1, so that ids of one second keep the order in which they were drawn. [any-thread]
#pragma once

#include <cstdint>
#include <mutex>

#include "vouch/event_id.h"
#include "vouch/host_services.h"

namespace vouch::append {

class EventIds {
 public:
  /// `clock` must outlive it. Randomness comes from the operating system.
  explicit EventIds(const Clock& clock) : clock_(clock) {}

  /// Greater than every id drawn before, also when the wall clock went back.
  EventId next();

 private:
  const Clock& clock_;
  std::mutex mutex_;
  EventId last_;
};

}  // namespace vouch::append
