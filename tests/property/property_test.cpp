// The seven invariants under random faults and kills, over the testkit's storage and over real
// servers. VOUCH_PROPERTY_SEED=n replays one seed, 200 times over the testkit's and 20 times over a
// server; VOUCH_PROPERTY_RUNS=n sets the number of runs for each shard (default 500, and 25 over a
// server).
#include <catch2/catch.hpp>
#include <cstdlib>
#include <functional>
#include <string>

#include "random_run.h"

namespace vouch::tests {
namespace {

std::uint64_t variable(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::stoull(text);
}

/// How a seed is run; false when there is nothing to run it on, which was printed.
using Run = std::function<bool(std::uint64_t)>;

bool run(const Run& once, std::uint64_t seed) {
  try {
    return once(seed);
  } catch (const std::exception& error) {
    FAIL("seed " << seed << ": " << error.what() << "; replay with VOUCH_PROPERTY_SEED=" << seed);
  }
  return false;
}

void run_shard(std::uint64_t shard, std::uint64_t runs, int replays, const Run& once) {
  const std::uint64_t seed = variable("VOUCH_PROPERTY_SEED", 0);
  if (seed != 0) {
    if (shard != 0) return;
    for (int i = 0; i < replays; ++i) run(once, seed);
    return;
  }
  runs = variable("VOUCH_PROPERTY_RUNS", runs);
  for (std::uint64_t i = 1; i <= runs; ++i) {
    if (!run(once, shard * 1'000'000 + i)) return;
  }
  SUCCEED("seeds " << shard * 1'000'000 + 1 << " to " << shard * 1'000'000 + runs);
}

void run_in_memory(std::uint64_t shard) {
  run_shard(shard, 500, 200, [](std::uint64_t seed) {
    random_run(seed);
    return true;
  });
}

void run_on(std::unique_ptr<ServerDatabase> (*make)(), std::uint64_t shard) {
  run_shard(shard, 25, 20, [make](std::uint64_t seed) {
    const auto server = make();
    if (server == nullptr) return false;
    random_run(seed, server.get());
    return true;
  });
}

TEST_CASE("the invariants hold under random faults and kills, shard 0") {
  run_in_memory(0);
}
TEST_CASE("the invariants hold under random faults and kills, shard 1") {
  run_in_memory(1);
}
TEST_CASE("the invariants hold under random faults and kills, shard 2") {
  run_in_memory(2);
}
TEST_CASE("the invariants hold under random faults and kills, shard 3") {
  run_in_memory(3);
}
TEST_CASE("the invariants hold under random faults and kills on PostgreSQL, shard 0") {
  run_on(postgres_database, 0);
}
TEST_CASE("the invariants hold under random faults and kills on PostgreSQL, shard 1") {
  run_on(postgres_database, 1);
}
TEST_CASE("the invariants hold under random faults and kills on MariaDB, shard 0") {
  run_on(mysql_database, 0);
}
TEST_CASE("the invariants hold under random faults and kills on MariaDB, shard 1") {
  run_on(mysql_database, 1);
}

}  // namespace
}  // namespace vouch::tests
