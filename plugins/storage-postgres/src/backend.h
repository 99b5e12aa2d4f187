// Backend: what the plugin's objects share. Made by PostgresStorage, which opens and closes it. Any
// thread once it is open.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "errors.h"
#include "options.h"
#include "pool.h"
#include "vouch/host_services.h"

namespace vouch::postgres {

struct Backend {
  Backend(HostServices& host, Options settings)
      : services(host), options(std::move(settings)), place(options.place()), sessions(options) {}

  HostServices& services;
  const Options options;
  const std::string place;  ///< for messages
  SessionPool sessions;
  std::atomic<std::uint32_t> partitions{0};  ///< 0 until migrated
  /// First half of the store's advisory lock keys: the object id of its schema, so that several
  /// stores of one database do not meet.
  std::atomic<std::int32_t> lock_space{0};

  template <typename Body>
  auto run(std::string_view doing, Body&& body) -> decltype(body()) {
    return guarded(place, doing, std::forward<Body>(body));
  }
};

/// Second halves of lock keys: lanes count up from 0, partitions down from -1.
inline std::int32_t lane_lock(std::uint32_t lane) {
  return static_cast<std::int32_t>(lane);
}
inline std::int32_t partition_lock(std::uint32_t partition) {
  return -1 - static_cast<std::int32_t>(partition);
}

}  // namespace vouch::postgres
