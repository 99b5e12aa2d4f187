// Ending: how one case ended. Plain values.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace vouch::conformance {

struct Ending {
  enum class Kind : std::uint8_t { passed, failed, skipped };
  Kind kind = Kind::passed;
  std::string done;       ///< failed: what was done
  std::string expected;   ///< failed
  std::string came_back;  ///< failed
  std::string reason;     ///< skipped: which ability is missing
  /// Failed: the last lines that the plugin logged or printed. Empty when it ran in this process.
  std::vector<std::string> log;
  std::chrono::milliseconds time{0};

  static Ending failed(std::string done, std::string expected, std::string came_back) {
    return {Kind::failed,
            std::move(done),
            std::move(expected),
            std::move(came_back),
            {},
            {},
            std::chrono::milliseconds(0)};
  }
};

}  // namespace vouch::conformance
