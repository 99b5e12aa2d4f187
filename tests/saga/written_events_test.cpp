#include "written_events.h"

#include <catch2/catch.hpp>

namespace vouch::saga {
namespace {

constexpr std::uint64_t kPlenty = 1U << 20U;

Append append_to(const char* stream, std::uint32_t partition, std::vector<std::string> data) {
  Append append;
  Write& write = append.writes.emplace_back();
  write.stream = StreamName::unchecked(stream);
  write.partition = {partition};
  for (std::string& one : data) {
    NewEvent& event = write.events.emplace_back();
    event.type = "happened";
    event.data = std::move(one);
  }
  return append;
}

StageResult staged(std::uint64_t first, std::uint64_t last) {
  StageResult result;
  result.ranges.push_back({Version{first}, Version{last}});
  return result;
}

StageResult not_staged(StageOutcome outcome) {
  StageResult result;
  result.outcome = outcome;
  return result;
}

Delivery delivery(std::uint32_t partition, std::uint64_t number, std::uint32_t events) {
  Delivery made;
  made.id = {{partition}, {number}};
  made.events = events;
  return made;
}

TEST_CASE("what was staged is found by its delivery, with the versions it got") {
  WrittenEvents written(kPlenty);
  StagedGroup group;
  std::vector<Append> appends;
  appends.push_back(append_to("order-1", 1, {"a", "b"}));
  appends.push_back(append_to("order-2", 1, {"x"}));
  appends.push_back(append_to("order-1", 1, {"c"}));
  appends.push_back(append_to("order-3", 2, {"y"}));
  group.results = {staged(5, 6), not_staged(StageOutcome::wrong_version), staged(7, 7),
                   staged(1, 1)};
  group.deliveries = {delivery(1, 10, 3), delivery(2, 11, 1)};
  written.keep(std::move(appends), group);

  const auto found = written.find(delivery(1, 10, 3));
  REQUIRE(found != nullptr);
  REQUIRE(found->events.size() == 3);
  for (std::uint64_t i = 0; i < 3; ++i) {
    CHECK(found->events[i].stream == "order-1");
    CHECK(found->events[i].version == Version{5 + i});
    CHECK(found->events[i].data == std::string(1, static_cast<char>('a' + i)));
  }
  REQUIRE(written.find(delivery(2, 11, 1)) != nullptr);
  CHECK(written.find(delivery(2, 11, 1))->events[0].data == "y");
  CHECK(written.find(delivery(1, 11, 3)) == nullptr);

  written.forget({{1}, {10}});
  CHECK(written.find(delivery(1, 10, 3)) == nullptr);
  CHECK(found->events[0].data == "a");  // whoever has it keeps it
}

TEST_CASE("what the ledger counts otherwise is read from the database") {
  WrittenEvents written(kPlenty);
  StagedGroup group;
  group.results = {staged(1, 1)};
  group.deliveries = {delivery(1, 10, 1)};
  written.keep({append_to("order-1", 1, {"a"})}, group);
  CHECK(written.find(delivery(1, 10, 2)) == nullptr);
  CHECK(written.find(delivery(1, 10, 1)) != nullptr);
}

TEST_CASE("the oldest gives way when there is no room") {
  WrittenEvents written(2'500);
  for (std::uint64_t i = 1; i <= 3; ++i) {
    StagedGroup group;
    group.results = {staged(i, i)};
    group.deliveries = {delivery(1, i, 1)};
    written.keep({append_to("order-1", 1, {std::string(1'000, 'x')})}, group);
    if (i == 1) written.forget({{1}, {1}});
  }
  CHECK(written.find(delivery(1, 1, 1)) == nullptr);
  CHECK(written.find(delivery(1, 2, 1)) != nullptr);
  StagedGroup group;
  group.results = {staged(4, 4)};
  group.deliveries = {delivery(1, 4, 1)};
  written.keep({append_to("order-1", 1, {std::string(1'000, 'x')})}, group);
  CHECK(written.find(delivery(1, 2, 1)) == nullptr);
  CHECK(written.find(delivery(1, 4, 1)) != nullptr);
}

}  // namespace
}  // namespace vouch::saga
