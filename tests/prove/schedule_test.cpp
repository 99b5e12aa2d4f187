// The faults that follow from a seed.
#include "prove/schedule.h"

#include <catch2/catch.hpp>
#include <set>

namespace vouch::prove::test {
namespace {

ScheduleOptions long_run() {
  return {.seed = 42, .lasts = 3'600, .calm = 5, .hosts = 3, .links = 2};
}

TEST_CASE("The same seed gives the same faults, another one others") {
  ScheduleOptions options = long_run();
  const auto faults = make_schedule(options);
  CHECK(faults == make_schedule(options));
  options.seed = 43;
  CHECK_FALSE(faults == make_schedule(options));
}

TEST_CASE("An hour sees every kind of fault on every host and link") {
  std::set<FaultKind> kinds;
  std::set<std::uint32_t> hosts;
  std::set<std::uint32_t> links;
  for (const Fault& fault : make_schedule(long_run())) {
    kinds.insert(fault.kind);
    hosts.insert(fault.host);
    links.insert(fault.link);
  }
  CHECK(kinds.size() == std::size(kFaultKinds));
  CHECK(hosts == std::set<std::uint32_t>{0, 1, 2});
  CHECK(links == std::set<std::uint32_t>{0, 1});
}

TEST_CASE("Some kills hit the restart too, most do not") {
  std::size_t kills = 0;
  std::size_t torn = 0;
  for (const Fault& fault : make_schedule(long_run())) {
    if (fault.kind != FaultKind::kill) continue;
    ++kills;
    torn += fault.amount > 0 ? 1 : 0;
  }
  CHECK(torn > 0);
  CHECK(torn < kills / 2);
}

TEST_CASE("Faults do not overlap and leave the beginning and the end calm") {
  Seconds free_from = 5;
  for (const Fault& fault : make_schedule(long_run())) {
    CHECK(fault.at >= free_from);
    CHECK(fault.lasts >= 0);
    free_from = fault.at + fault.lasts;
  }
  CHECK(free_from <= 3'595);
}

TEST_CASE("Without proxies there are no faults of connections") {
  ScheduleOptions options = long_run();
  options.links = 0;
  for (const Fault& fault : make_schedule(options)) CHECK_FALSE(is_of_link(fault.kind));
}

TEST_CASE("A short run has faults too") {
  ScheduleOptions options = long_run();
  options.lasts = 20;
  CHECK(make_schedule(options).size() >= 2);
}

TEST_CASE("Every kind of fault has a name of its own") {
  std::set<std::string> names;
  for (const FaultKind kind : kFaultKinds) {
    names.insert(fault_name(kind));
    CHECK(std::string(fault_words(kind)).ends_with('.'));
  }
  CHECK(names.size() == std::size(kFaultKinds));
}

}  // namespace
}  // namespace vouch::prove::test
