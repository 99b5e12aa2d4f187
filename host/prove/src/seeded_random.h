// SeededRandom: numbers that follow from a seed, the same with every standard library (the
// distributions of <random> are not). SplitMix64: G. Steele, D. Lea, C. Flood, "Fast splittable
// pseudorandom number generators", OOPSLA 2014. One thread.
#pragma once

#include <cstddef>
#include <cstdint>

namespace vouch::prove {

class SeededRandom {
 public:
  explicit SeededRandom(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15ULL);
    z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27U)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31U);
  }
  /// From 0 to `bound` - 1. Pre: bound > 0.
  std::uint64_t below(std::uint64_t bound) { return next() % bound; }
  /// From 0 to less than 1.
  double fraction() { return static_cast<double>(next() >> 11U) * 0x1.0p-53; }
  double between(double least, double most) { return least + (most - least) * fraction(); }
  bool chance(double probability) { return fraction() < probability; }

 private:
  std::uint64_t state_;
};

}  // namespace vouch::prove
