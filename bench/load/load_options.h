// What the load generator is asked to do.
#pragma once

#include <cstdint>
#include <string>

namespace vouch::bench {

struct LoadOptions {
  std::string host = "127.0.0.1";
  std::uint16_t port = 7070;
  std::uint32_t connections = 64;
  std::uint32_t events = 1;  ///< in one request
  std::uint32_t streams = 100'000;
  std::uint32_t payload = 256;  ///< bytes of `data`
  double seconds = 10;
  double warm_up = 2;        ///< seconds that are not counted
  double rate = 0;           ///< events a second, open loop; 0: closed loop
  std::uint64_t count = 0;   ///< events after which it is over, however long that takes; 0: by time
  std::uint32_t writes = 1;  ///< streams in one request, each with `events` events
  bool in_turn = false;      ///< streams one after the other instead of at random
  bool follow = false;       ///< a follower measures the time from append to sight
  std::string consume;       ///< instead: a consumer of a broker; see consumer_of()
};

}  // namespace vouch::bench
