// What is decided about a group without a database; the storages' suites test the same rules with
// one.
#include "vouch/staging/group_plan.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <string>
#include <vector>

namespace vouch::staging {
namespace {

EventId id_of(std::uint8_t number) {
  EventId id;
  id.bytes[19] = number;
  return id;
}

/// An append of events with ids `first_id`, `first_id` + 1 …
Append append_to(const std::string& stream, std::uint8_t first_id, std::size_t events = 1) {
  Append append;
  Write write;
  write.stream = StreamName::unchecked(stream);
  write.partition = {static_cast<std::uint32_t>(stream.back() % 2)};
  for (std::size_t i = 0; i < events; ++i) {
    NewEvent event;
    event.id = id_of(static_cast<std::uint8_t>(first_id + i));
    event.type = "happened";
    write.events.push_back(event);
  }
  append.writes.push_back(std::move(write));
  return append;
}

class Facts final : public CommittedFacts {
 public:
  Version head(const StreamName& stream) override { return heads[stream.str()]; }
  std::optional<StoredKey> key(const Idempotency& idempotency) override {
    const auto found = keys.find(idempotency.key);
    return found == keys.end() ? std::nullopt : std::optional(found->second);
  }
  bool id_stored(const EventId& id, bool /*first*/) override { return events.contains(id); }
  std::optional<StoredEvent> event(const NewEvent& event) override {
    const auto found = events.find(event.id);
    return found == events.end() ? std::nullopt : std::optional(found->second);
  }

  std::map<std::string, Version> heads;
  std::map<std::string, StoredKey> keys;
  std::map<EventId, StoredEvent> events;
};

const Token kToken{{3}, {77}, "native"};

std::vector<StageOutcome> outcomes(GroupPlan& plan) {
  std::vector<StageOutcome> found;
  for (const StageResult& result : plan.finish({}).results) found.push_back(result.outcome);
  return found;
}

TEST_CASE("rows come sorted by partition, stream and version, whatever the order of the appends") {
  const std::vector<Append> appends = {append_to("b-3", 1), append_to("a-2", 2, 2),
                                       append_to("a-1", 4), append_to("a-2", 5)};
  Facts facts;
  facts.heads["a-2"] = {9};
  GroupPlan plan(appends, kToken, facts);
  std::vector<std::pair<std::string, std::uint64_t>> places;
  for (const PlannedRow& row : plan.rows()) {
    places.emplace_back(std::string(row.stream), row.version.value);
  }
  CHECK(places == std::vector<std::pair<std::string, std::uint64_t>>{
                      {"a-2", 10}, {"a-2", 11}, {"a-2", 12}, {"a-1", 1}, {"b-3", 1}});
}

TEST_CASE("an append whose row did not get in is out, and so is all that builds on it") {
  std::vector<Append> appends = {append_to("a-1", 1, 2), append_to("a-1", 3), append_to("b-2", 4),
                                 append_to("c-3", 5), append_to("c-3", 6)};
  appends[0].idempotency = Idempotency{"a-1", "k", "digest"};
  appends.push_back(append_to("d-4", 7));
  appends.back().preconditions.push_back(
      {StreamName::unchecked("a-1"), ExpectedVersion::exact({3})});
  appends.push_back(appends[0]);  // the same key again
  Facts facts;
  GroupPlan plan(appends, kToken, facts);
  REQUIRE(plan.rows().size() == 7);
  std::vector<bool> inserted(7, true);
  std::vector<std::size_t> expected;
  for (std::size_t i = 0; i < 7; ++i) {
    const PlannedRow& row = plan.rows()[i];
    if (row.append == 0 && row.version.value == 2) inserted[i] = false;
    const bool out = row.append == 0 || row.append == 1 || row.append == 5;
    if (out && inserted[i]) expected.push_back(i);
  }
  CHECK(plan.withdraw(inserted, facts) == expected);
  CHECK(plan.rows().size() == 3);
  using enum StageOutcome;
  CHECK(outcomes(plan) ==
        std::vector{lost_race, lost_race, staged, staged, staged, lost_race, lost_race});
  CHECK(plan.new_keys().empty());
}

TEST_CASE("what did not get in because its id was stored meanwhile is told as stored") {
  const std::vector<Append> appends = {append_to("a-1", 1), append_to("b-2", 2)};
  Facts facts;
  GroupPlan plan(appends, kToken, facts);
  StoredEvent stored{"a-1", {1}, true, Token{{9}, {5}, "other"}, DeliveryId{{1}, {40}}};
  facts.events.emplace(id_of(1), stored);
  stored.same_content = false;
  facts.events.emplace(id_of(2), stored);
  CHECK(plan.withdraw({false, false}, facts).empty());
  const StagedGroup group = plan.finish({});
  CHECK(group.results[0].outcome == StageOutcome::duplicate);
  CHECK(group.results[0].token.native == "other");
  CHECK(group.results[0].deliveries == std::vector<DeliveryId>{{{1}, {40}}});
  CHECK(group.results[1].outcome == StageOutcome::id_reused);
}

TEST_CASE("a wrong version is told by the committed head, a stale known head is a lost race") {
  std::vector<Append> appends = {append_to("a-1", 1), append_to("b-2", 2), append_to("c-3", 3)};
  Facts facts;
  facts.heads = {{"a-1", {4}}, {"b-2", {4}}, {"c-3", {4}}};
  appends[0].writes[0].expected = ExpectedVersion::exact({3});
  appends[1].writes[0].known_head = Version{3};
  appends[2].writes[0].known_head = Version{3};
  appends[2].writes[0].expected = ExpectedVersion::exact({4});
  GroupPlan plan(appends, kToken, facts);
  const StagedGroup group = plan.finish({});
  CHECK(group.results[0].outcome == StageOutcome::wrong_version);
  CHECK(group.results[0].actual == Version{4});
  CHECK(group.results[1].outcome == StageOutcome::lost_race);
  CHECK(group.results[2].outcome == StageOutcome::staged);
}

TEST_CASE("appends that are not well formed are named") {
  CHECK(check_appends(std::vector{append_to("a-1", 1)}, 2).ok());
  CHECK_FALSE(check_appends(std::vector<Append>(1), 2).ok());
  CHECK_FALSE(check_appends(std::vector{append_to("a-1", 1, 0)}, 2).ok());
  CHECK_FALSE(check_appends(std::vector{append_to("a-1", 1)}, 1).ok());
  CHECK_FALSE(check_appends(std::vector{append_to("a 1", 1)}, 2).ok());
  Append twice = append_to("a-1", 1);
  twice.writes.push_back(twice.writes[0]);
  CHECK_FALSE(check_appends(std::vector{twice}, 2).ok());
}

}  // namespace
}  // namespace vouch::staging
