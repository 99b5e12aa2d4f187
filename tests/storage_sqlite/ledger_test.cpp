// Marks, their flush, the backlog and the purge.
#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>
#include <ctime>
#include <thread>

#include "sqlite_fixture.h"

namespace vouch::sqlite::test {

using namespace std::chrono_literals;

namespace {

std::int64_t marked_rows(const std::string& path) {
  return ForeignSession(path).integer(
      "SELECT count(*) FROM deliveries WHERE delivered_at IS NOT NULL");
}

bool within(std::chrono::milliseconds limit, const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(10ms);
  }
  return true;
}

std::vector<DeliveryId> ids_of(const std::vector<ReadyDelivery>& deliveries) {
  std::vector<DeliveryId> ids;
  for (const ReadyDelivery& delivery : deliveries) ids.push_back(delivery.delivery.id);
  return ids;
}

Verdict verdict(SqliteStorage& storage, const Token& token) {
  const auto verdicts = storage.resolve({&token, 1});
  REQUIRE(verdicts.ok());
  return verdicts->front();
}

}  // namespace

TEST_CASE("Marks reach the file by themselves when no lane writes") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("shop.db");
  OpenStore store(path);
  const StagedGroup group = commit_one(*store.lane(), append_to("cart-1"));
  REQUIRE(store->ledger().complete({&group.deliveries[0].id, 1}).ok());
  CHECK(marked_rows(path) == 0);
  CHECK(within(3s, [&] { return marked_rows(path) == 1; }));
}

TEST_CASE("Marks ride along with the lane's next transaction, and stay pending if it rolls back") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("shop.db");
  OpenStore store(path);
  auto lane = store.lane();
  const StagedGroup group = commit_one(*lane, append_to("cart-1"));
  const Append other = append_to("cart-2");
  REQUIRE(store->ledger().complete({&group.deliveries[0].id, 1}).ok());
  REQUIRE(lane->stage({&other, 1}).ok());
  lane->rollback();
  CHECK(marked_rows(path) == 0);
  CHECK(ready(*store).empty());
  commit_one(*lane, other);
  CHECK(marked_rows(path) == 1);
  CHECK(ready(*store).size() == 1);
}

TEST_CASE("A marked delivery is never ready again while its transaction hangs") {
  const TemporaryDirectory directory;
  OpenStore store(directory.file("shop.db"));
  auto lane = store.lane();
  const StagedGroup group = commit_one(*lane, append_to("cart-1"));
  const Append other = append_to("cart-2");
  REQUIRE(lane->stage({&other, 1}).ok());
  REQUIRE(store->ledger().complete({&group.deliveries[0].id, 1}).ok());
  CHECK(ready(*store).empty());
  std::this_thread::sleep_for(250ms);
  CHECK(ready(*store).empty());
  const auto delivered = store->ledger().delivered({&group.deliveries[0].id, 1});
  REQUIRE(delivered.ok());
  CHECK(delivered->front() == 1);
}

TEST_CASE("A mark for a delivery that was never committed does not hide a later one") {
  const TemporaryDirectory directory;
  OpenStore store(directory.file("shop.db"));
  auto lane = store.lane();
  const Append append = append_to("cart-1");
  const auto aborted = lane->stage({&append, 1});
  REQUIRE(aborted.ok());
  lane->rollback();
  REQUIRE(store->ledger().complete({&aborted->deliveries[0].id, 1}).ok());
  const auto delivered = store->ledger().delivered({&aborted->deliveries[0].id, 1});
  REQUIRE(delivered.ok());
  CHECK(delivered->front() == 0);
  commit_one(*lane, append);
  CHECK(ready(*store).size() == 1);
}

TEST_CASE("The backlog counts at once what was committed, marked and written") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("shop.db");
  auto store = std::make_unique<OpenStore>(path);
  auto lane = store->lane();
  store->services().set_now({1'000'000});
  const StagedGroup first = commit_one(*lane, append_to("cart-1", 3));
  store->services().set_now({2'000'000});
  const StagedGroup second = commit_one(*lane, append_to("cart-1", 2));
  const std::uint32_t partition = first.deliveries[0].id.partition.value;
  const auto expect = [&](std::uint64_t deliveries, std::uint64_t events, std::int64_t oldest) {
    const auto backlog = (*store)->ledger().backlog();
    REQUIRE(backlog.ok());
    REQUIRE(backlog->size() == kPartitions);
    const Backlog& mine = (*backlog)[partition];
    CHECK(mine.deliveries == deliveries);
    CHECK(mine.events == events);
    CHECK(mine.oldest.value_or(Timestamp{-1}).micros == oldest);
  };
  expect(2, 5, 1'000'000);
  REQUIRE((*store)->ledger().complete({&first.deliveries[0].id, 1}).ok());
  REQUIRE((*store)->ledger().complete({&first.deliveries[0].id, 1}).ok());
  expect(1, 2, 2'000'000);
  REQUIRE(within(3s, [&] { return marked_rows(path) == 1; }));
  expect(1, 2, 2'000'000);
  REQUIRE((*store)->ledger().complete({&second.deliveries[0].id, 1}).ok());
  expect(0, 0, -1);
  lane.reset();
  store.reset();
  store = std::make_unique<OpenStore>(path);
  expect(0, 0, -1);
}

TEST_CASE("Ready passes over many marks that are not written yet, in order and quickly") {
  const TemporaryDirectory directory;
  const std::string path = directory.file("shop.db");
  constexpr std::size_t kDeliveries = 100'000;
  { OpenStore store(path); }
  ForeignSession(path).execute(
      "BEGIN;"
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000) "
      "INSERT INTO events (stream, version, id, type, time, content_type, data, metadata) "
      "SELECT 'cart-1', i, cast(printf('%020d', i) AS BLOB), 't', 0, '', x'', x'' FROM n;"
      "INSERT INTO deliveries (partition, lane, batch, first_seq, last_seq, written) "
      "SELECT 1, 0, seq, seq, seq, 0 FROM events;"
      "COMMIT");
  OpenStore store(path);
  auto lane = store.lane();
  // An open transaction keeps the marks from being written.
  const Append other = append_to("cart-2");
  REQUIRE(lane->stage({&other, 1}).ok());
  std::vector<DeliveryId> ids = ids_of(ready(*store));
  REQUIRE(ids.size() == kDeliveries);
  CHECK(std::is_sorted(ids.begin(), ids.end()));
  const DeliveryId last = ids.back();
  ids.pop_back();
  REQUIRE(store->ledger().complete(ids).ok());
  const auto found = ready(*store, 1);
  REQUIRE(found.size() == 1);
  CHECK(found[0].delivery.id == last);
  CHECK(store->ledger().backlog().value()[1].deliveries == 1);
  const std::clock_t start = std::clock();
  for (int i = 0; i < 100; ++i) CHECK(ready(*store, 1).size() == 1);
  // Looking at every mark each time would take 10,000,000 steps.
  CHECK(static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC < 0.5);
  lane->rollback();
}

TEST_CASE("A purge forgets old marked deliveries, and resolve says so") {
  const TemporaryDirectory directory;
  OpenStore store(directory.file("shop.db"));
  auto lane = store.lane();
  store.services().set_now({100'000'000});
  const Append aborted = append_to("cart-1");
  const auto early = lane->stage({&aborted, 1});
  REQUIRE(early.ok());
  lane->rollback();
  const StagedGroup old = commit_one(*lane, append_to("cart-1"));
  const StagedGroup unmarked = commit_one(*lane, append_to("cart-2"));
  REQUIRE(store->ledger().complete({&old.deliveries[0].id, 1}).ok());
  store.services().set_now({200'000'000});
  const StagedGroup young = commit_one(*lane, append_to("cart-3"));
  REQUIRE(store->ledger().complete({&young.deliveries[0].id, 1}).ok());

  CHECK(store->ledger().purge(101s, 100).value() == 0);
  CHECK(verdict(*store, old.token) == Verdict::committed);
  CHECK(store->ledger().purge(100s, 100).value() == 1);
  CHECK(store->ledger().purge(100s, 100).value() == 0);

  CHECK(verdict(*store, old.token) == Verdict::forgotten);
  CHECK(verdict(*store, early->token) == Verdict::forgotten);
  CHECK(verdict(*store, unmarked.token) == Verdict::committed);
  CHECK(verdict(*store, young.token) == Verdict::committed);
  const Token never{{0}, {young.token.batch.value + 10}, {}};
  CHECK(verdict(*store, never) == Verdict::forgotten);
  const std::vector<DeliveryId> asked{old.deliveries[0].id,
                                      unmarked.deliveries[0].id,
                                      young.deliveries[0].id,
                                      {{0}, {young.deliveries[0].id.number.value + 1}}};
  CHECK(store->ledger().delivered(asked).value() == std::vector<std::uint8_t>{1, 0, 1, 0});
  CHECK(read_stream(*store, "cart-1").size() == 1);
}

TEST_CASE("A purge stops at its limit, and forgets idempotency keys of that age") {
  const TemporaryDirectory directory;
  OpenStore store(directory.file("shop.db"));
  auto lane = store.lane();
  store.services().set_now({0});
  Append append;
  for (int i = 0; i < 5; ++i) {
    append = append_to("cart-1");
    append.idempotency = Idempotency{"cart-1", "key" + std::to_string(i), "digest"};
    commit_one(*lane, append);
  }
  const std::vector<DeliveryId> ids = ids_of(ready(*store));
  REQUIRE(store->ledger().complete(ids).ok());
  store.services().set_now({100'000'000});
  append.writes[0].events[0].id = fresh_id();
  const auto known = lane->stage({&append, 1});
  REQUIRE(known.ok());
  CHECK(known->results[0].outcome == StageOutcome::duplicate);
  lane->rollback();
  CHECK(store->ledger().purge(101s, 3).value() == 0);
  CHECK(store->ledger().purge(50s, 3).value() == 6);
  CHECK(store->ledger().purge(50s, 3).value() == 4);
  CHECK(store->ledger().purge(50s, 3).value() == 0);
  commit_one(*lane, append);
}

TEST_CASE("A partition has one claim at a time") {
  const TemporaryDirectory directory;
  OpenStore store(directory.file("shop.db"));
  auto claim = store->ledger().claim({1});
  REQUIRE(claim.ok());
  CHECK((*claim)->held());
  CHECK(store->ledger().claim({1}).status().code() == StatusCode::held);
  CHECK(store->ledger().claim({2}).ok());
  claim->reset();
  CHECK(store->ledger().claim({1}).ok());
  CHECK(store->ledger().claim({kPartitions}).status().code() == StatusCode::invalid_argument);
}

}  // namespace vouch::sqlite::test
