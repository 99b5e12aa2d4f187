// What the host is made to do while its instructions are counted. Each scenario is a whole host
// over the testkit, driven over its HTTP server by one client that waits for every answer and every
// delivery: what happens is the same each time, whatever else the machine does. The counting is of
// the threads of the host, so the client may wait as it likes.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace vouch::instructions {

struct Scenario {
  std::string_view name;
  /// Counts between a warm-up and the end, and returns of how many events. Throws
  /// std::runtime_error when the host did not do what was asked.
  std::uint64_t (*run)();
};

const std::vector<Scenario>& scenarios();

}  // namespace vouch::instructions
