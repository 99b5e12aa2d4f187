// How long, for people. Stateless.
#pragma once

#include <chrono>
#include <string>

namespace vouch::plugins {

/// "50 ms", "60 s"; from a second on in whole seconds.
inline std::string duration_text(std::chrono::milliseconds duration) {
  if (duration < std::chrono::seconds(1)) return std::to_string(duration.count()) + " ms";
  return std::to_string(duration.count() / 1'000) + " s";
}

}  // namespace vouch::plugins
