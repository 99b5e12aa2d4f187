// Counts of a run while it goes on, for those who watch. Any thread.
#pragma once

#include <atomic>
#include <cstdint>

namespace vouch::prove {

struct Counts {
  std::atomic<std::uint64_t> committed{0};   ///< appends answered 201
  std::atomic<std::uint64_t> refused{0};     ///< answers that say that nothing was written
  std::atomic<std::uint64_t> unanswered{0};  ///< requests without an answer
  std::atomic<std::uint64_t> seen{0};        ///< messages on outbound topics
};

}  // namespace vouch::prove
