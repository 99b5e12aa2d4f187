// Cases about the ledger: what is ready, in which order, marks, backlog, purge and claims.
#include <map>

#include "storage_cases.h"
#include "storage_kit.h"

namespace vouch::conformance {
namespace {

std::vector<DeliveryId> ids_of(const std::vector<Delivery>& deliveries) {
  std::vector<DeliveryId> ids;
  for (const Delivery& delivery : deliveries) ids.push_back(delivery.id);
  return ids;
}

/// Commits `groups` transactions with events on ten streams each.
std::vector<Token> fill(StorageUnderTest& under_test, int groups) {
  auto lane = open_lane(under_test);
  std::vector<Token> tokens;
  for (int g = 0; g < groups; ++g) {
    std::vector<Append> appends;
    for (int s = 9; s >= 0; --s) appends.push_back(append_to("order-" + std::to_string(s), 2));
    tokens.push_back(stage(*lane, appends).token);
    commit(*lane);
  }
  return tokens;
}

void order(StorageUnderTest& under_test) {
  const auto tokens = fill(under_test, 6);
  const Ready all = ready(under_test.storage());
  LedgerNumber last{0};
  std::map<std::string, std::uint64_t> versions;
  std::uint64_t events = 0;
  for (std::size_t i = 0; i < all.deliveries.size(); ++i) {
    const Delivery& delivery = all.deliveries[i];
    expect(last < delivery.id.number, "read the ledger", "rising numbers", "falling ones");
    last = delivery.id.number;
    expect_equal("events of a delivery", std::size_t{delivery.events}, all.events[i].size());
    for (const Event& event : all.events[i]) {
      ++events;
      expect_equal("next version of " + event.stream.str(), ++versions[event.stream.str()],
                   event.version.value);
      expect(partition_of(event.stream.view(), StorageUnderTest::identity().partitions) ==
                 delivery.id.partition,
             "read a delivery's event", "one of its partition", event.stream.str());
    }
  }
  expect_equal("events of all deliveries", std::uint64_t{120}, events);
  expect(all.deliveries.front().token == tokens.front(), "the first delivery's token",
         describe(tokens.front()), describe(all.deliveries.front().token));
}

void max_events(StorageUnderTest& under_test) {
  fill(under_test, 4);
  Storage& storage = under_test.storage();
  const Ready all = ready(storage);
  const Ready one = ready(storage, 1);
  expect_equal("asked for one event, deliveries", std::size_t{1}, one.deliveries.size());
  expect_equal("asked for one event, the first delivery", all.deliveries[0].id,
               one.deliveries[0].id);
  const Ready some = ready(storage, 20);
  expect(some.deliveries.size() > 1 && some.deliveries.size() < all.deliveries.size(),
         "asked for about 20 of 80 events", "some deliveries",
         std::to_string(some.deliveries.size()));
  for (std::size_t i = 0; i < some.deliveries.size(); ++i) {
    expect_equal("the deliveries of a bounded read", all.deliveries[i].id, some.deliveries[i].id);
  }
}

void after_a_number(StorageUnderTest& under_test) {
  fill(under_test, 4);
  Storage& storage = under_test.storage();
  const auto all = ids_of(ready(storage).deliveries);
  const std::size_t middle = all.size() / 2;
  const std::vector<DeliveryId> rest(all.begin() + static_cast<std::ptrdiff_t>(middle) + 1,
                                     all.end());
  const auto ask = [&](std::uint32_t max_events) {
    return ids_of(ready(storage, max_events, all[middle].number).deliveries);
  };
  expect_equal("asked above a number", rest, ask(1'000'000));
  expect_equal("asked above a number for one event", rest.front(), ask(1).front());
  expect_equal("asked above the last number", std::size_t{0},
               ready(storage, 1'000'000, all.back().number).deliveries.size());
  complete(storage, {rest.front()});
  expect_equal("asked above a number after a mark",
               std::vector<DeliveryId>(rest.begin() + 1, rest.end()), ask(1'000'000));
  complete(storage, {rest.begin() + 1, rest.end()});
  expect_equal(
      "asked from the start after asking above a number",
      std::vector<DeliveryId>(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(middle) + 1),
      ids_of(ready(storage).deliveries));
}

class Declines final : public DeliverySink {
 public:
  bool delivery(const Delivery& /*delivery*/) override {
    ++deliveries;
    return false;
  }
  void event(const EventView& /*event*/) override { ++events; }
  int deliveries = 0;
  int events = 0;
};

void unwanted_events_are_not_given(StorageUnderTest& under_test) {
  fill(under_test, 1);
  const Partition partition = partition_of("order-3", StorageUnderTest::identity().partitions);
  Declines sink;
  expect_ok("asked one partition", under_test.storage().ledger().ready(
                                       std::span<const Partition>(&partition, 1), {}, 100, sink));
  expect_equal("asked one partition, deliveries", 1, sink.deliveries);
  expect_equal("declined, events", 0, sink.events);
  expect_ok("asked no partition", under_test.storage().ledger().ready({}, {}, 100, sink));
  expect_equal("asked no partition, deliveries", 1, sink.deliveries);
}

void completed_is_not_ready_again(StorageUnderTest& under_test) {
  fill(under_test, 3);
  Storage& storage = under_test.storage();
  const auto all = ids_of(ready(storage).deliveries);
  complete(storage, {all[0], all[2]});
  complete(storage, {all[0]});
  std::vector<DeliveryId> left = all;
  left.erase(left.begin() + 2);
  left.erase(left.begin());
  expect_equal("asked again after marking two", left, ids_of(ready(storage).deliveries));
  complete(storage, left);
  expect_equal("asked again after marking all", std::size_t{0}, ready(storage).deliveries.size());
  complete(storage, {});
  complete(storage, {{{0}, {999'999'999}}});
}

void marks_survive_reopen(StorageUnderTest& under_test) {
  fill(under_test, 2);
  const auto all = ids_of(ready(under_test.storage()).deliveries);
  complete(under_test.storage(), all);
  under_test.reopen();
  expect_equal("asked after an orderly restart", std::size_t{0},
               ready(under_test.storage()).deliveries.size());
}

void undelivered_survives_crash(StorageUnderTest& under_test) {
  fill(under_test, 2);
  const auto all = ids_of(ready(under_test.storage()).deliveries);
  under_test.crash();
  expect_equal("asked after a crash", all, ids_of(ready(under_test.storage()).deliveries));
}

void delivered_tells(StorageUnderTest& under_test) {
  fill(under_test, 2);
  Storage& storage = under_test.storage();
  const auto all = ids_of(ready(storage).deliveries);
  DeliveryId aborted;
  {
    auto lane = open_lane(under_test);
    aborted = stage(*lane, {append_to("order-1")}).deliveries.front().id;
  }
  complete(storage, {all[0]});
  const std::vector<DeliveryId> asked{all[1], all[0], aborted, {{1}, {888'888'888}}};
  using Flags = std::vector<std::uint8_t>;
  expect_equal("asked what is delivered", Flags{0, 1, 0, 0},
               expect_value("asked", storage.ledger().delivered(asked)));
  complete(storage, all);
  purge_all(storage);
  expect_equal(
      "asked after a purge", Flags{1, 1},
      expect_value("asked", storage.ledger().delivered(std::vector<DeliveryId>{all[0], all[1]})));
}

void backlog(StorageUnderTest& under_test) {
  fill(under_test, 3);
  Storage& storage = under_test.storage();
  const std::uint32_t partitions = StorageUnderTest::identity().partitions;
  const auto check = [&](const Ready& waiting) {
    const auto all = expect_value("asked for the backlog", storage.ledger().backlog());
    expect_equal("backlog entries", std::size_t{partitions}, all.size());
    for (std::uint32_t i = 0; i < partitions; ++i) {
      std::uint64_t deliveries = 0;
      std::uint64_t events = 0;
      for (const Delivery& delivery : waiting.deliveries) {
        if (delivery.id.partition.value != i) continue;
        ++deliveries;
        events += delivery.events;
      }
      expect_equal("partition of a backlog entry", i, all[i].partition.value);
      expect_equal("backlog, deliveries", deliveries, all[i].deliveries);
      expect_equal("backlog, events", events, all[i].events);
      expect_equal("backlog, has an oldest", deliveries > 0, all[i].oldest.has_value());
    }
  };
  Ready waiting = ready(storage);
  check(waiting);
  complete(storage, {waiting.deliveries[0].id});
  check(ready(storage));
  complete(storage, ids_of(waiting.deliveries));
  check(Ready{});
}

void purge_keeps_what_waits(StorageUnderTest& under_test) {
  fill(under_test, 3);
  Storage& storage = under_test.storage();
  const auto all = ids_of(ready(storage).deliveries);
  expect_equal("purged with nothing marked", std::uint64_t{0}, purge_all(storage));
  complete(storage, {all[0], all[1], all[2]});
  const std::uint64_t young =
      expect_value("purged by age", storage.ledger().purge(std::chrono::hours(1), 100));
  expect_equal("purged marks older than an hour", std::uint64_t{0}, young);
  expect_equal("purged three marks in steps of two", std::uint64_t{3}, purge_all(storage, 2));
  expect_equal("asked what is ready after a purge", all.size() - 3,
               ready(storage).deliveries.size());
  expect_equal("counted events after a purge", std::size_t{60},
               read_feed(storage, {{}, {}, {}, 100}).events.size());
}

void purge_forgets_keys(StorageUnderTest& under_test) {
  auto lane = open_lane(under_test);
  store(*lane, with_key(append_to("order-1"), "key", "one"));
  store(*lane, with_key(append_to("order-1"), "key", "two"), StageOutcome::key_reused);
  complete(under_test.storage(), ids_of(ready(under_test.storage()).deliveries));
  purge_all(under_test.storage());
  store(*lane, with_key(append_to("order-1"), "key", "two"));
}

void claim_is_exclusive(StorageUnderTest& under_test) {
  Ledger& ledger = under_test.storage().ledger();
  auto first = expect_value("claimed a partition", ledger.claim({3}));
  expect_equal("the claim's partition", 3U, first->partition().value);
  expect(first->held(), "asked a new claim", "held", "not held");
  expect_code("claimed it again", StatusCode::held, ledger.claim({3}).status());
  auto other = expect_value("claimed another", ledger.claim({4}));
  first.reset();
  expect_code("claimed the other again", StatusCode::held, ledger.claim({4}).status());
  first = expect_value("claimed it after it was given back", ledger.claim({3}));
}

void claim_ends_with_a_crash(StorageUnderTest& under_test) {
  auto claim = expect_value("claimed", under_test.storage().ledger().claim({3}));
  under_test.crash();
  auto next =
      expect_value("claimed after the owner's crash", under_test.storage().ledger().claim({3}));
  claim.reset();
  expect(next->held(), "destroyed the crashed host's claim", "the new one is held", "lost");
  expect_code("claimed again", StatusCode::held, under_test.storage().ledger().claim({3}).status());
}

void claims_do_not_stop_lanes(StorageUnderTest& under_test) {
  std::vector<std::unique_ptr<Claim>> claims;
  for (std::uint32_t i = 0; i < StorageUnderTest::identity().partitions; ++i) {
    claims.push_back(expect_value("claimed", under_test.storage().ledger().claim({i})));
  }
  auto lane = open_lane(under_test);
  stage(*lane, {append_to("order-1")});
  expect(claims[0]->held(), "asked a claim during a transaction", "held", "not held");
  commit(*lane);
  const auto waiting = ids_of(ready(under_test.storage()).deliveries);
  stage(*lane, {append_to("order-2")});
  lane->rollback();
  complete(under_test.storage(), waiting);
}

constexpr StorageCase kCases[] = {
    {"storage.ledger.order", "Deliveries come in number order, a stream's events in version order.",
     order},
    {"storage.ledger.max_events", "A bounded read gives the first deliveries, at least one.",
     max_events},
    {"storage.ledger.after_a_number", "A read above a number gives what is behind it.",
     after_a_number},
    {"storage.ledger.unwanted_events_are_not_given",
     "Only asked partitions and wanted events are given.", unwanted_events_are_not_given},
    {"storage.ledger.completed_is_not_ready_again", "A marked delivery is never ready again.",
     completed_is_not_ready_again},
    {"storage.ledger.marks_survive_reopen", "An orderly end loses no mark.", marks_survive_reopen},
    {"storage.ledger.undelivered_survives_crash", "What was not marked is ready after a crash.",
     undelivered_survives_crash},
    {"storage.ledger.delivered_tells", "delivered tells marked and purged from the rest.",
     delivered_tells},
    {"storage.ledger.backlog", "The backlog counts what waits in each partition.", backlog},
    {"storage.ledger.claim_is_exclusive", "A partition has one claim at a time.",
     claim_is_exclusive},
    {"storage.ledger.claim_ends_with_a_crash", "A crashed host's claim is free.",
     claim_ends_with_a_crash},
    {"storage.ledger.claims_do_not_stop_lanes", "Claims and lanes do not hinder each other.",
     claims_do_not_stop_lanes},
    {"storage.purge.keeps_what_waits", "A purge takes old marks only, within its limit.",
     purge_keeps_what_waits},
    {"storage.purge.forgets_keys", "A purge takes old idempotency keys.", purge_forgets_keys},
};

}  // namespace

std::span<const StorageCase> ledger_cases() {
  return kCases;
}

}  // namespace vouch::conformance
