// How hosts count their shares of the partitions, against a list of hosts that the test writes.
#include "members.h"

#include <catch2/catch.hpp>

#include "vouch/testkit/test_services.h"

namespace vouch::tests {
namespace {

using saga::fair_share;
using saga::Members;
using std::chrono::milliseconds;

constexpr milliseconds kInterval{500};

class ListedHosts final : public HostRegistry {
 public:
  Status announce(const HostEntry& entry, milliseconds) override {
    ++announced;
    self = entry;
    return {};
  }
  Result<std::vector<SeenHost>> list() override {
    if (!problem.ok()) return problem;
    std::vector<SeenHost> all = others;
    all.push_back({self, milliseconds(0)});
    return all;
  }
  Status leave(const std::string& id) override {
    left = id;
    return {};
  }

  HostEntry self;
  std::vector<SeenHost> others;
  Status problem;
  int announced = 0;
  std::string left;
};

SeenHost other(const std::string& id, std::vector<Partition> owned, milliseconds age) {
  return {{id, id + ":7070", std::move(owned), {}}, age};
}

struct Fixture {
  ListedHosts list;
  testkit::TestServices services;
  Members members{&list, "here:7070", 4, kInterval, services};
  Members::Time now = std::chrono::steady_clock::now();
};

TEST_CASE("shares are even and add up") {
  for (std::size_t hosts = 1; hosts <= 9; ++hosts) {
    std::size_t all = 0;
    for (std::size_t place = 0; place < hosts; ++place) {
      const std::size_t share = fair_share(8, hosts, place);
      CHECK(share >= 8 / hosts);
      CHECK(share <= 8 / hosts + 1);
      all += share;
    }
    CHECK(all == 8);
  }
}

TEST_CASE("a host without a list of hosts may have everything") {
  testkit::TestServices services;
  Members members(nullptr, "here", 4, kInterval, services);
  members.refresh(std::chrono::steady_clock::now(), {{0}, {1}});
  CHECK(members.alone());
  CHECK(members.may_claim({3}, 3));
  CHECK(members.surplus(4) == 0);
  REQUIRE(members.reports().size() == 1);
  CHECK(members.reports()[0].self);
  CHECK(members.reports()[0].owned == std::vector<Partition>{{0}, {1}});
}

TEST_CASE_METHOD(Fixture, "a host that joined gets what is too much here, and no more") {
  members.refresh(now, {{0}, {1}, {2}, {3}});
  CHECK(members.surplus(4) == 0);
  list.others = {other("~", {}, milliseconds(100))};
  members.refresh(now, {{0}, {1}, {2}, {3}});
  CHECK(members.surplus(4) == 2);
  list.others = {other("~", {{3}}, milliseconds(100))};
  members.refresh(now, {{0}, {1}, {2}});
  CHECK(members.surplus(3) == 1);
  list.others = {other("~", {{2}, {3}}, milliseconds(100))};
  members.refresh(now, {{0}, {1}});
  CHECK(members.surplus(2) == 0);
  CHECK_FALSE(members.may_claim({2}, 2));
}

TEST_CASE_METHOD(Fixture, "partitions of a host that was not heard of for long are tried") {
  list.others = {other("~", {{2}, {3}}, milliseconds(1'200))};
  members.refresh(now, {{0}, {1}});
  CHECK_FALSE(members.may_claim({2}, 2));
  list.others[0].age = milliseconds(1'301);
  members.refresh(now, {{0}, {1}});
  CHECK(members.may_claim({2}, 2));
  // What is not asked for any more is not given up for it either.
  members.refresh(now, {{0}, {1}, {2}, {3}});
  CHECK(members.surplus(4) == 0);
}

TEST_CASE_METHOD(Fixture, "a partition that another host just gave up is left to whom it is for") {
  list.others = {other("a", {{2}}, milliseconds(0)), other("~", {}, milliseconds(0))};
  members.refresh(now, {{0}, {1}});
  // Three hosts: the shares are 2, 1 and 1, and this one, whose id lies between, has its own.
  CHECK_FALSE(members.may_claim({3}, 2));
  CHECK(members.may_claim({3}, 0));
  members.refresh(now + 2 * kInterval, {{0}, {1}});
  CHECK(members.may_claim({3}, 2));
}

TEST_CASE_METHOD(Fixture,
                 "who announced a partition that could be claimed is gone until it is back") {
  list.others = {other("~", {{0}, {1}, {2}, {3}}, milliseconds(100))};
  members.refresh(now, {});
  CHECK(members.may_claim({0}, 0));
  members.claimed({0}, now);
  CHECK(members.may_claim({1}, 1));
  CHECK(members.may_claim({3}, 3));
  list.others[0].age = milliseconds(600);
  members.refresh(now + kInterval, {{0}});
  CHECK(members.may_claim({1}, 1));
  CHECK_FALSE(members.reports()[0].here);
  // It was a host that stood still.
  list.others[0] = other("~", {{1}, {2}, {3}}, milliseconds(100));
  members.refresh(now + 2 * kInterval, {{0}});
  CHECK_FALSE(members.may_claim({1}, 1));
  CHECK(members.reports()[0].here);
}

TEST_CASE_METHOD(Fixture,
                 "what was given up is not taken back because a host that is gone had it") {
  list.others = {other("0", {{3}}, milliseconds(60'000)), other("~", {{2}}, milliseconds(0))};
  members.refresh(now, {{0}, {1}, {3}});
  CHECK(members.surplus(3) == 1);
  CHECK_FALSE(members.may_claim({3}, 2));
  members.refresh(now, {{0}, {1}});
  CHECK_FALSE(members.may_claim({3}, 2));
  members.refresh(now + 2 * kInterval, {{0}, {1}});
  CHECK(members.may_claim({3}, 2));
}

TEST_CASE_METHOD(Fixture, "it announces itself every second interval and whenever it owns others") {
  members.refresh(now, {});
  CHECK(list.announced == 1);
  members.refresh(now + kInterval, {});
  CHECK(list.announced == 1);
  members.refresh(now + 2 * kInterval, {});
  CHECK(list.announced == 2);
  members.refresh(now + 2 * kInterval, {{1}});
  CHECK(list.announced == 3);
  CHECK(list.self.owned == std::vector<Partition>{{1}});
  CHECK(list.self.name == "here:7070");
  members.leave();
  CHECK(list.left == list.self.id);
}

TEST_CASE_METHOD(Fixture, "while the list can't be read everything may be tried, after a while") {
  list.others = {other("~", {{2}, {3}}, milliseconds(0))};
  members.refresh(now, {{0}, {1}});
  list.problem = Status(StatusCode::unavailable, "no database");
  members.refresh(now + 2 * kInterval, {{0}, {1}});
  CHECK_FALSE(members.may_claim({2}, 2));
  members.refresh(now + 7 * kInterval, {{0}, {1}});
  CHECK(members.may_claim({2}, 2));
}

}  // namespace
}  // namespace vouch::tests
