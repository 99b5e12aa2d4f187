// Staging: what this database must say of appends that repeat, clash or come with a stale head.
#include <catch2/catch.hpp>

#include "sqlite_fixture.h"

namespace vouch::sqlite::test {

namespace {

StageResult stage_one(Lane& lane, const Append& append) {
  auto group = lane.stage({&append, 1});
  REQUIRE(group.ok());
  lane.rollback();
  return group->results[0];
}

}  // namespace

TEST_CASE("A group's rows are one range for each partition, and streams keep their order") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("shop.db");
  OpenStore store(path);
  auto lane = store.lane();
  std::vector<Append> appends;
  for (int i = 0; i < 40; ++i) {
    appends.push_back(append_to("cart-" + std::to_string(i % 7), 2));
    for (NewEvent& event : appends.back().writes[0].events) event.data = std::to_string(i);
  }
  const auto group = lane->stage(appends);
  REQUIRE(group.ok());
  REQUIRE(lane->commit().outcome == CommitOutcome::committed);
  std::uint64_t events = 0;
  for (const Delivery& delivery : group->deliveries) events += delivery.events;
  CHECK(events == 80);
  const auto deliveries = ready(*store);
  CHECK(deliveries.size() == group->deliveries.size());
  for (const ReadyDelivery& delivery : deliveries) {
    for (const Event& event : delivery.events) {
      CHECK(partition_of(event.stream.view(), kPartitions) == delivery.delivery.id.partition);
    }
  }
  const std::vector<Event> stream = read_stream(*store, "cart-3");
  for (std::size_t i = 0; i < stream.size(); ++i) {
    CHECK(stream[i].version.value == i + 1);
    CHECK(stream[i].data == std::to_string(3 + 7 * (i / 2)));
  }
}

TEST_CASE("A known head that is not the committed one is a lost race, never a gap") {
  const TemporaryDirectory directory;
  OpenStore store(directory.file("shop.db"));
  auto lane = store.lane();
  commit_one(*lane, append_to("cart-1", 3));
  Append append = append_to("cart-1");
  append.writes[0].known_head = Version{2};
  CHECK(stage_one(*lane, append).outcome == StageOutcome::lost_race);
  append.writes[0].known_head = Version{9};
  CHECK(stage_one(*lane, append).outcome == StageOutcome::lost_race);
  append.writes[0].known_head = Version{3};
  CHECK(stage_one(*lane, append).ranges[0].first == Version{4});
}

TEST_CASE("An id that is taken in the middle of an append spares the group's other appends") {
  const TemporaryDirectory directory;
  OpenStore store(directory.file("shop.db"));
  auto lane = store.lane();
  const Append first = append_to("cart-1");
  commit_one(*lane, first);
  std::vector<Append> appends{append_to("cart-2"), append_to("cart-3", 3), append_to("cart-4")};
  appends[1].writes[0].events[1].id = first.writes[0].events[0].id;
  const auto group = lane->stage(appends);
  REQUIRE(group.ok());
  REQUIRE(lane->commit().outcome == CommitOutcome::committed);
  CHECK(group->results[0].outcome == StageOutcome::staged);
  CHECK(group->results[1].outcome == StageOutcome::id_reused);
  CHECK(group->results[2].outcome == StageOutcome::staged);
  CHECK(read_stream(*store, "cart-3").empty());
  CHECK(read_stream(*store, "cart-4").size() == 1);
  const auto verdicts = store->resolve({&group->token, 1});
  REQUIRE(verdicts.ok());
  CHECK(verdicts->front() == Verdict::committed);
}

TEST_CASE("Repeated ids answer with the first place, token and deliveries") {
  const TemporaryDirectory directory;
  OpenStore store(directory.file("shop.db"));
  auto lane = store.lane();
  for (int i = 0; i < 50; ++i) commit_one(*lane, append_to("noise-" + std::to_string(i)));
  Append append = append_to("cart-1", 2, ExpectedVersion::none());
  append.writes.push_back(append_to("cart-2", 1).writes[0]);
  const StagedGroup first = commit_one(*lane, append);
  for (int i = 0; i < 50; ++i) commit_one(*lane, append_to("noise-" + std::to_string(i)));

  const StageResult repeated = stage_one(*lane, append);
  REQUIRE(repeated.outcome == StageOutcome::duplicate);
  CHECK(repeated.token == first.token);
  CHECK(repeated.deliveries.size() == first.deliveries.size());
  CHECK(repeated.ids.size() == 3);
  REQUIRE(repeated.ranges.size() == 2);
  CHECK(repeated.ranges[0].first == Version{1});
  CHECK(repeated.ranges[0].last == Version{2});

  SECTION("and once the ledger forgot them, with a token that resolves as forgotten") {
    std::vector<DeliveryId> ids;
    for (const ReadyDelivery& delivery : ready(*store)) ids.push_back(delivery.delivery.id);
    REQUIRE(store->ledger().complete(ids).ok());
    REQUIRE(store->ledger().purge(std::chrono::seconds(0), 1'000).value() == ids.size());
    const StageResult late = stage_one(*lane, append);
    REQUIRE(late.outcome == StageOutcome::duplicate);
    CHECK(late.deliveries.empty());
    CHECK(store->resolve({&late.token, 1}).value().front() == Verdict::forgotten);
  }
  SECTION("and in another order they are taken by other events") {
    std::swap(append.writes[0].events[0], append.writes[0].events[1]);
    CHECK(stage_one(*lane, append).outcome == StageOutcome::id_reused);
  }
}

TEST_CASE("Repeats within one group point at the group itself") {
  const TemporaryDirectory directory;
  OpenStore store(directory.file("shop.db"));
  auto lane = store.lane();
  Append keyed = append_to("cart-1");
  keyed.idempotency = Idempotency{"cart-1", "k", "digest"};
  Append same_key = append_to("cart-1");
  same_key.idempotency = keyed.idempotency;
  Append other_digest = append_to("cart-1");
  other_digest.idempotency = Idempotency{"cart-1", "k", "other"};
  const Append plain = append_to("cart-2", 2);
  const std::vector<Append> appends{keyed, same_key, other_digest, plain, plain};
  const auto group = lane->stage(appends);
  REQUIRE(group.ok());
  REQUIRE(lane->commit().outcome == CommitOutcome::committed);
  const auto& results = group->results;
  CHECK(results[0].outcome == StageOutcome::staged);
  CHECK(results[1].outcome == StageOutcome::duplicate);
  CHECK(results[1].token == group->token);
  CHECK(results[1].deliveries == results[0].deliveries);
  CHECK(results[1].ids == std::vector<EventId>{keyed.writes[0].events[0].id});
  CHECK(results[2].outcome == StageOutcome::key_reused);
  CHECK(results[3].outcome == StageOutcome::staged);
  CHECK(results[4].outcome == StageOutcome::duplicate);
  CHECK(results[4].deliveries == results[3].deliveries);
  CHECK(results[4].ranges[0].last == Version{2});
  const StageResult later = stage_one(*lane, same_key);
  CHECK(later.outcome == StageOutcome::duplicate);
  CHECK(later.token == group->token);
  CHECK(later.deliveries == results[0].deliveries);
  CHECK(later.ids == results[1].ids);
}

TEST_CASE("A fenced transaction is aborted at once and can't be committed") {
  const TemporaryDirectory directory;
  OpenStore store(directory.file("shop.db"));
  auto lane = store.lane();
  const Append append = append_to("cart-1");
  const auto group = lane->stage({&append, 1});
  REQUIRE(group.ok());
  CHECK(store->resolve({&group->token, 1}).value().front() == Verdict::in_progress);
  REQUIRE(store->fence(group->token).ok());
  CHECK(store->resolve({&group->token, 1}).value().front() == Verdict::aborted);
  CHECK(lane->commit().outcome == CommitOutcome::aborted);
  CHECK(read_stream(*store, "cart-1").empty());
  const StagedGroup next = commit_one(*lane, append);
  CHECK(store->fence(next.token).ok());
  CHECK(store->resolve({&next.token, 1}).value().front() == Verdict::committed);
}

TEST_CASE("Bytes are kept exactly as they came") {
  const TemporaryDirectory directory;
  OpenStore store(directory.file("shop.db"));
  Append append = append_to("cart-1");
  NewEvent& event = append.writes[0].events[0];
  event.data = std::string("\0\xff\x80 text", 8);
  event.metadata = "";
  event.content_type = std::string("a\0b", 3);
  event.time = {-5};
  commit_one(*store.lane(), append);
  const std::vector<Event> events = read_stream(*store, "cart-1");
  REQUIRE(events.size() == 1);
  CHECK(events[0].data == event.data);
  CHECK(events[0].metadata.empty());
  CHECK(events[0].content_type == event.content_type);
  CHECK(events[0].time == event.time);
  CHECK(events[0].id == event.id);
}

}  // namespace vouch::sqlite::test
