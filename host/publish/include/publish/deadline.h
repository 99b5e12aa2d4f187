// A deadline that several may bring forward and nobody can put off: how a second signal cuts short
// a stop that waits. [any-thread]
#pragma once

#include <atomic>
#include <chrono>

namespace vouch::publish {

inline void bring_forward(std::atomic<std::chrono::steady_clock::time_point>& deadline,
                          std::chrono::steady_clock::time_point earlier) {
  auto known = deadline.load();
  while (earlier < known && !deadline.compare_exchange_weak(known, earlier)) {
  }
}

}  // namespace vouch::publish
