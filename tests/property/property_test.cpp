// The seven invariants under random faults and kills. VOUCH_PROPERTY_SEED=n replays one seed, 200
// times; VOUCH_PROPERTY_RUNS=n sets the number of runs for each of the four shards (default 500).
#include <catch2/catch.hpp>
#include <cstdlib>
#include <string>

#include "random_run.h"

namespace vouch::tests {
namespace {

std::uint64_t variable(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::stoull(text);
}

void run(std::uint64_t seed) {
  try {
    random_run(seed);
  } catch (const std::exception& error) {
    FAIL("seed " << seed << ": " << error.what() << "; replay with VOUCH_PROPERTY_SEED=" << seed);
  }
}

void run_shard(std::uint64_t shard) {
  const std::uint64_t seed = variable("VOUCH_PROPERTY_SEED", 0);
  if (seed != 0) {
    if (shard != 0) return;
    for (int i = 0; i < 200; ++i) run(seed);
    return;
  }
  const std::uint64_t runs = variable("VOUCH_PROPERTY_RUNS", 500);
  for (std::uint64_t i = 1; i <= runs; ++i) run(shard * 1'000'000 + i);
  SUCCEED("seeds " << shard * 1'000'000 + 1 << " to " << shard * 1'000'000 + runs);
}

TEST_CASE("the invariants hold under random faults and kills, shard 0") {
  run_shard(0);
}
TEST_CASE("the invariants hold under random faults and kills, shard 1") {
  run_shard(1);
}
TEST_CASE("the invariants hold under random faults and kills, shard 2") {
  run_shard(2);
}
TEST_CASE("the invariants hold under random faults and kills, shard 3") {
  run_shard(3);
}

}  // namespace
}  // namespace vouch::tests
