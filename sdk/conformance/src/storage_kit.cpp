// The storage cases' tools; see the header.
#include "storage_kit.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <random>

namespace vouch::conformance {
namespace {

constexpr std::chrono::seconds kLaneWait{5};

class Collector final : public EventSink {
 public:
  bool event(const EventView& event) override {
    events.emplace_back(event);
    return true;
  }
  std::vector<Event> events;
};

class PageCollector final : public FeedSink {
 public:
  explicit PageCollector(Page& page) : page_(page) {}
  bool event(const EventView& event, std::string_view after) override {
    page_.events.emplace_back(event);
    page_.cursors.push_back({std::string(after)});
    return true;
  }

 private:
  Page& page_;
};

class ReadyCollector final : public DeliverySink {
 public:
  bool delivery(const Delivery& delivery) override {
    found.deliveries.push_back(delivery);
    found.events.emplace_back();
    return true;
  }
  void event(const EventView& event) override { found.events.back().emplace_back(event); }
  Ready found;
};

}  // namespace

EventId fresh_id() {
  static const std::uint64_t random = [] {
    std::random_device device;
    return (std::uint64_t{device()} << 32U) | device();
  }();
  static std::atomic<std::uint64_t> count{0};
  const std::uint64_t number = ++count;
  EventId id;
  id.bytes[0] = 0x18;
  for (std::size_t i = 0; i < 8; ++i) {
    id.bytes[4 + i] = static_cast<std::uint8_t>(random >> (56 - 8 * i));
    id.bytes[12 + i] = static_cast<std::uint8_t>(number >> (56 - 8 * i));
  }
  return id;
}

StreamName name(std::string_view text) {
  return StreamName::unchecked(std::string(text));
}

NewEvent new_event(std::string type, std::string data) {
  NewEvent event;
  event.id = fresh_id();
  event.type = std::move(type);
  event.time = {1'700'000'000'123'456};
  event.content_type = "application/json";
  event.data = std::move(data);
  event.metadata = "{\"trace\":\"t1\"}";
  return event;
}

Write write_to(std::string_view stream, std::size_t count, ExpectedVersion expected) {
  Write write;
  write.stream = name(stream);
  write.partition = partition_of(stream, StorageUnderTest::identity().partitions);
  write.expected = expected;
  for (std::size_t i = 0; i < count; ++i) write.events.push_back(new_event());
  return write;
}

Append append_of(std::vector<Write> writes) {
  Append append;
  append.writes = std::move(writes);
  return append;
}

Append append_to(std::string_view stream, std::size_t count, ExpectedVersion expected) {
  return append_of({write_to(stream, count, expected)});
}

Append with_key(Append append, std::string key, std::string digest) {
  append.idempotency =
      Idempotency{append.writes.front().stream.str(), std::move(key), std::move(digest)};
  return append;
}

std::vector<EventId> ids_of(const Append& append) {
  std::vector<EventId> ids;
  for (const Write& write : append.writes) {
    for (const NewEvent& event : write.events) ids.push_back(event.id);
  }
  return ids;
}

std::uint32_t lanes_allowed(StorageUnderTest& under_test, std::uint32_t wanted) {
  const std::uint32_t limit = under_test.storage().capabilities().max_lanes;
  return limit == 0 ? wanted : std::min(limit, wanted);
}

void need_lanes(StorageUnderTest& under_test, std::uint32_t count) {
  if (lanes_allowed(under_test, count) < count) {
    throw CaseSkipped("max_lanes is below " + std::to_string(count));
  }
}

std::unique_ptr<Lane> open_lane(StorageUnderTest& under_test, std::uint32_t number) {
  return expect_value("opened lane " + std::to_string(number),
                      under_test.storage().lane({number}, kLaneWait));
}

StagedGroup stage(Lane& lane, const std::vector<Append>& appends) {
  StagedGroup group = expect_value("staged a group", lane.stage(appends));
  expect_equal("staged a group, results", appends.size(), group.results.size());
  return group;
}

StageResult stage_one(Lane& lane, const Append& append) {
  return stage(lane, {append}).results.front();
}

void commit(Lane& lane) {
  const CommitResult result = lane.commit();
  if (result.outcome == CommitOutcome::committed) return;
  throw ConformanceFailure("committed a transaction", "committed",
                           describe(result.outcome) + ", " + result.reason.to_string());
}

StageResult store(Lane& lane, const Append& append, StageOutcome outcome) {
  StageResult result = stage_one(lane, append);
  expect_equal("staged an append to " + append.writes.front().stream.str(), outcome,
               result.outcome);
  commit(lane);
  return result;
}

Token store_for_token(Lane& lane, const Append& append) {
  const StagedGroup group = stage(lane, {append});
  expect_equal("staged an append", StageOutcome::staged, group.results.front().outcome);
  commit(lane);
  return group.token;
}

Verdict resolve(Storage& storage, const Token& token) {
  const auto verdicts =
      expect_value("resolved a token", storage.resolve(std::span<const Token>(&token, 1)));
  expect_equal("resolved one token, verdicts", std::size_t{1}, verdicts.size());
  return verdicts.front();
}

std::vector<Event> read_stream(Storage& storage, std::string_view stream, Version from,
                               Direction direction, std::uint32_t limit) {
  Collector collector;
  expect_ok("read a stream",
            storage.reader().stream(name(stream), from, direction, limit, collector));
  return std::move(collector.events);
}

std::vector<std::uint64_t> versions_of(const std::vector<Event>& events) {
  std::vector<std::uint64_t> versions;
  for (const Event& event : events) versions.push_back(event.version.value);
  return versions;
}

std::string described(const Event& event) {
  return event.stream.str() + "@" + std::to_string(event.version.value);
}

Version head_of(Storage& storage, std::string_view stream) {
  const StreamName asked = name(stream);
  const auto heads =
      expect_value("read a head", storage.reader().heads(std::span<const StreamName>(&asked, 1)));
  expect_equal("asked for one head, heads", std::size_t{1}, heads.size());
  return heads.front();
}

Page read_page(Storage& storage, const FeedQuery& query) {
  Page page;
  PageCollector collector(page);
  const FeedPage end = expect_value("read a feed page", storage.reader().feed(query, collector));
  expect(page.events.size() <= query.limit, "read a feed page",
         "at most " + std::to_string(query.limit) + " events", std::to_string(page.events.size()));
  page.next = end.next;
  page.at_end = end.at_end;
  return page;
}

Page read_feed(Storage& storage, FeedQuery query) {
  constexpr int kMaxEmptyPages = 100;
  Page all;
  int empty_pages = 0;
  while (!all.at_end) {
    Page page = read_page(storage, query);
    empty_pages = page.events.empty() && page.next == query.after ? empty_pages + 1 : 0;
    expect(empty_pages < kMaxEmptyPages, "read feed pages", "progress or the end", "neither");
    all.events.insert(all.events.end(), page.events.begin(), page.events.end());
    all.cursors.insert(all.cursors.end(), page.cursors.begin(), page.cursors.end());
    all.next = page.next;
    all.at_end = page.at_end;
    query.after = page.next;
  }
  return all;
}

Ready ready(Storage& storage, std::uint32_t max_events, LedgerNumber after) {
  std::vector<Partition> partitions;
  for (std::uint32_t i = 0; i < StorageUnderTest::identity().partitions; ++i) {
    partitions.push_back({i});
  }
  ReadyCollector collector;
  expect_ok("asked for ready deliveries",
            storage.ledger().ready(partitions, after, max_events, collector));
  return std::move(collector.found);
}

void complete(Storage& storage, const std::vector<DeliveryId>& deliveries) {
  expect_ok("marked deliveries", storage.ledger().complete(deliveries));
}

std::uint64_t purge_all(Storage& storage, std::uint32_t limit) {
  std::uint64_t rows = 0;
  for (;;) {
    const std::uint64_t removed =
        expect_value("purged", storage.ledger().purge(std::chrono::seconds(0), limit));
    expect(removed <= std::uint64_t{limit} * 2, "purged with a limit",
           "at most the limit of each kind", std::to_string(removed) + " rows");
    if (removed == 0) return rows;
    rows += removed;
  }
}

}  // namespace vouch::conformance
