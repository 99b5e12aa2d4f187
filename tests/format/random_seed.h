// The seed of a randomised test: VOUCH_TEST_SEED, or a new one. Tests print it when they fail.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <random>
#include <string>

namespace vouch::format {

inline std::uint64_t random_seed() {
  if (const char* given = std::getenv("VOUCH_TEST_SEED")) return std::strtoull(given, nullptr, 10);
  std::random_device device;
  return std::uint64_t{device()} << 32U | device();
}

using Random = std::mt19937_64;

/// A number from 0 to `count` - 1.
inline std::size_t below(Random& random, std::size_t count) {
  return std::uniform_int_distribution<std::size_t>(0, count - 1)(random);
}

inline std::string random_bytes(Random& random, std::size_t size) {
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(below(random, 256));
  return bytes;
}

}  // namespace vouch::format

/// Draws a seed into `random` and has Catch print it if a check of the scope fails.
#define VOUCH_RANDOM(random)                                 \
  const std::uint64_t seed = ::vouch::format::random_seed(); \
  INFO("VOUCH_TEST_SEED=" << seed);                          \
  ::vouch::format::Random random(seed)
