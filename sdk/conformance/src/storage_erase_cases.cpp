// Cases about erasures. They skip where the storage can't erase.
#include <atomic>
#include <limits>

#include "storage_cases.h"
#include "storage_kit.h"
#include "vouch/dead_letter_store.h"
#include "vouch/erasure_store.h"
#include "vouch/snapshot_store.h"

namespace vouch::conformance {
namespace {

const std::string kMetadata = R"({"erased":"2026-11-23T16:06:11Z"})";
const std::string kSecret = R"({"name":"Zäzilie Müller"})";

ErasureStore& erasures_of(StorageUnderTest& under_test) {
  void* const found = under_test.storage().query(ErasureStore::kInterface);
  if (found == nullptr) throw CaseSkipped("the storage can't erase");
  return *static_cast<ErasureStore*>(found);
}

Erasure erasure(std::string_view stream, std::uint64_t first, std::uint64_t last) {
  return {name(stream), {first}, {last}, {1'700'000'000'654'321}, "asked for: größer", kMetadata};
}

ErasureOutcome erase(StorageUnderTest& under_test, const Erasure& wanted) {
  return expect_value("erased", erasures_of(under_test).erase(wanted));
}

std::vector<ErasureRecord> recorded(StorageUnderTest& under_test, std::string_view stream) {
  return expect_value("asked for the records", erasures_of(under_test).recorded(name(stream)));
}

Append secrets_to(std::string_view stream, std::size_t count) {
  Append append = append_to(stream, count);
  for (NewEvent& event : append.writes[0].events) {
    event.data = kSecret;
    event.metadata = kSecret;
    event.content_type = "application/secret";
  }
  return append;
}

void expect_tombstone(const Event& was, const Event& now) {
  expect_equal("read an erased event, data", std::string(kTombstoneData), now.data);
  expect_equal("read an erased event, content type", std::string(kTombstoneContentType),
               now.content_type);
  expect_equal("read an erased event, metadata", kMetadata, now.metadata);
  expect_equal("read an erased event, id", was.id, now.id);
  expect_equal("read an erased event, stream", was.stream, now.stream);
  expect_equal("read an erased event, version", was.version, now.version);
  expect_equal("read an erased event, type", was.type, now.type);
  expect_equal("read an erased event, time", was.time.micros, now.time.micros);
}

void expect_untouched(const Event& was, const Event& now) {
  expect_equal("read a neighbour, id", was.id, now.id);
  expect_equal("read a neighbour, version", was.version, now.version);
  expect_equal("read a neighbour, data", was.data, now.data);
  expect_equal("read a neighbour, content type", was.content_type, now.content_type);
  expect_equal("read a neighbour, metadata", was.metadata, now.metadata);
}

/// Each event of `now` is a tombstone if it is of `stream` and within the range, else as it was.
void expect_erased(const std::vector<Event>& was, const std::vector<Event>& now,
                   std::string_view stream, std::uint64_t first, std::uint64_t last) {
  expect_equal("read after an erasure, events", was.size(), now.size());
  for (std::size_t i = 0; i < was.size(); ++i) {
    const bool hit = was[i].stream == name(stream) && was[i].version.value >= first &&
                     was[i].version.value <= last;
    hit ? expect_tombstone(was[i], now[i]) : expect_untouched(was[i], now[i]);
  }
}

class One final : public EventSink {
 public:
  bool event(const EventView& event) override {
    events.emplace_back(event);
    return true;
  }
  std::vector<Event> events;
};

void tombstone_everywhere(StorageUnderTest& under_test) {
  erasures_of(under_test);
  Storage& storage = under_test.storage();
  auto lane = open_lane(under_test);
  for (int i = 0; i < 3; ++i) {
    store(*lane, secrets_to("order-1", 2));
    store(*lane, secrets_to("order-10", 1));
    store(*lane, secrets_to("Order-1", 1));
  }
  const auto stream_was = read_stream(storage, "order-1");
  const Page feed_was = read_feed(storage, {{}, {}, {}, 100});
  const auto backward_was = read_stream(storage, "order-1", {}, Direction::backward);
  const Ready ready_was = ready(storage);

  const ErasureOutcome outcome = erase(under_test, erasure("order-1", 2, 4));
  expect_equal("erased three of six, events", std::uint64_t{3}, outcome.events);
  expect_equal("erased three of six, last", Version{4}, outcome.last);
  expect_equal("erased without a snapshot, snapshots", std::uint64_t{0}, outcome.snapshots);

  expect_erased(stream_was, read_stream(storage, "order-1"), "order-1", 2, 4);
  expect_erased(backward_was, read_stream(storage, "order-1", {}, Direction::backward), "order-1",
                2, 4);
  const Page feed = read_feed(storage, {{}, {}, {}, 100});
  expect_erased(feed_was.events, feed.events, "order-1", 2, 4);
  expect_equal("read the feed after an erasure, cursors", feed_was.cursors.size(),
               feed.cursors.size());
  for (std::size_t i = 0; i < feed.cursors.size(); ++i) {
    expect(feed_was.cursors[i] == feed.cursors[i], "read the feed after an erasure",
           "the cursors of before", "another one behind event " + std::to_string(i + 1));
  }
  for (const Event& was : feed_was.events) {
    One one;
    expect_ok("read an event by its id", storage.reader().event(was.id, one));
    expect_erased({was}, one.events, "order-1", 2, 4);
  }
  const Ready ready_now = ready(storage);
  expect_equal("asked for deliveries", ready_was.deliveries.size(), ready_now.deliveries.size());
  for (std::size_t i = 0; i < ready_was.events.size(); ++i) {
    expect_equal("asked for deliveries, id", ready_was.deliveries[i].id,
                 ready_now.deliveries[i].id);
    expect_erased(ready_was.events[i], ready_now.events[i], "order-1", 2, 4);
  }
}

void whole_stream_is_cut_to_the_head(StorageUnderTest& under_test) {
  erasures_of(under_test);
  auto lane = open_lane(under_test);
  store(*lane, secrets_to("order-1", 3));
  const auto was = read_stream(under_test.storage(), "order-1");
  constexpr std::uint64_t kAll = std::numeric_limits<std::int64_t>::max();
  const ErasureOutcome outcome = erase(under_test, erasure("order-1", 1, kAll));
  expect_equal("erased more than there is, events", std::uint64_t{3}, outcome.events);
  expect_equal("erased more than there is, last", Version{3}, outcome.last);
  store(*lane, secrets_to("order-1", 2));
  const auto now = read_stream(under_test.storage(), "order-1");
  expect_equal("appended after an erasure, data", kSecret, now.at(3).data);
  expect_erased(was, {now.begin(), now.begin() + 3}, "order-1", 1, 3);
  const ErasureOutcome beyond = erase(under_test, erasure("order-1", 6, 9));
  expect_equal("erased beyond the head, events", std::uint64_t{0}, beyond.events);
  expect_equal("erased the new ones, events", std::uint64_t{2},
               erase(under_test, erasure("order-1", 1, kAll)).events);
  const auto records = recorded(under_test, "order-1");
  expect_equal("asked for the records", std::size_t{2}, records.size());
  expect_equal("the first record, last", Version{3}, records[0].last);
  expect_equal("the second record, last", Version{5}, records[1].last);
}

void repeating_changes_nothing(StorageUnderTest& under_test) {
  erasures_of(under_test);
  auto lane = open_lane(under_test);
  store(*lane, secrets_to("order-1", 4));
  erase(under_test, erasure("order-1", 2, 3));
  const auto was = read_stream(under_test.storage(), "order-1");
  Erasure again = erasure("order-1", 2, 3);
  again.time = {1'800'000'000'000'000};
  again.metadata = R"({"erased":"later"})";
  const ErasureOutcome outcome = erase(under_test, again);
  expect_equal("erased again, events", std::uint64_t{0}, outcome.events);
  expect_equal("erased again, records", std::size_t{1}, recorded(under_test, "order-1").size());
  again.last = {4};
  expect_equal("erased one more, events", std::uint64_t{1}, erase(under_test, again).events);
  const auto now = read_stream(under_test.storage(), "order-1");
  for (std::size_t i = 0; i < 3; ++i) expect_untouched(was[i], now[i]);
  expect_equal("the one more, metadata", again.metadata, now[3].metadata);
  expect_equal("erased one more, records", std::size_t{2}, recorded(under_test, "order-1").size());
}

void snapshots_from_the_range_on_go(StorageUnderTest& under_test) {
  erasures_of(under_test);
  void* const found = under_test.storage().query(SnapshotStore::kInterface);
  if (found == nullptr) throw CaseSkipped("the storage keeps no snapshots");
  auto& snapshots = *static_cast<SnapshotStore*>(found);
  auto lane = open_lane(under_test);
  const std::pair<const char*, std::uint64_t> kept[] = {
      {"order-1", 2}, {"order-2", 3}, {"order-3", 5}, {"order-4", 5}};
  for (const auto& [stream, version] : kept) {
    store(*lane, secrets_to(stream, 5));
    const Snapshot one{name(stream), {version}, {1}, "application/json", kSecret};
    expect_ok("saved a snapshot", snapshots.save(std::span<const Snapshot>(&one, 1)));
  }
  for (const char* stream : {"order-1", "order-2", "order-3"}) {
    const std::uint64_t gone = std::string_view(stream) == "order-1" ? 0 : 1;
    expect_equal("erased a stream with a snapshot, snapshots", gone,
                 erase(under_test, erasure(stream, 3, 4)).snapshots);
    expect_equal("asked for the snapshot", gone == 0,
                 expect_value("asked for a snapshot", snapshots.newest(name(stream))).has_value());
  }
  expect(expect_value("asked for a snapshot", snapshots.newest(name("order-4"))).has_value(),
         "erased other streams, and asked for this one's snapshot", "it", "nothing");
  const Snapshot late{name("order-1"), {5}, {1}, "application/json", kSecret};
  expect_ok("saved a snapshot", snapshots.save(std::span<const Snapshot>(&late, 1)));
  const ErasureOutcome again = erase(under_test, erasure("order-1", 3, 4));
  expect_equal("erased again, events", std::uint64_t{0}, again.events);
  expect_equal("erased again, a snapshot that came late", std::uint64_t{1}, again.snapshots);
}

void unknown_and_empty_are_refused(StorageUnderTest& under_test) {
  ErasureStore& store_of = erasures_of(under_test);
  auto lane = open_lane(under_test);
  store(*lane, secrets_to("order-1", 2));
  expect_code("erased a stream that is not there", StatusCode::not_found,
              store_of.erase(erasure("order-2", 1, 5)).status());
  expect_code("erased from version 0", StatusCode::invalid_argument,
              store_of.erase(erasure("order-1", 0, 5)).status());
  expect_code("erased an empty range", StatusCode::invalid_argument,
              store_of.erase(erasure("order-1", 2, 1)).status());
  Erasure wordy = erasure("order-1", 1, 2);
  wordy.reason.assign(kMaxErasureReason + 1, 'x');
  expect_code("gave too long a reason", StatusCode::invalid_argument,
              store_of.erase(wordy).status());
  for (const char* stream : {"order-1", "order-2"}) {
    expect_equal("asked for the records", std::size_t{0}, recorded(under_test, stream).size());
  }
  expect_equal("read the stream", kSecret, read_stream(under_test.storage(), "order-1")[0].data);
  wordy.reason.assign(kMaxErasureReason, 'x');
  expect_equal("gave the longest reason, events", std::uint64_t{2},
               erase(under_test, wordy).events);
}

void appends_go_on(StorageUnderTest& under_test) {
  erasures_of(under_test);
  auto lane = open_lane(under_test);
  store(*lane, secrets_to("order-1", 3));
  erase(under_test, erasure("order-1", 1, 3));
  store(*lane, append_to("order-1", 1, ExpectedVersion::none()), StageOutcome::wrong_version);
  store(*lane, append_to("order-1", 2, ExpectedVersion::exact({3})));
  lane.reset();
  under_test.reopen();
  lane = open_lane(under_test);
  store(*lane, append_to("order-1", 1, ExpectedVersion::exact({5})));
  expect_equal("read the versions", std::vector<std::uint64_t>{1, 2, 3, 4, 5, 6},
               versions_of(read_stream(under_test.storage(), "order-1")));
}

void record_survives_reopen(StorageUnderTest& under_test) {
  erasures_of(under_test);
  auto lane = open_lane(under_test);
  store(*lane, secrets_to("order-1", 5));
  const auto was = read_stream(under_test.storage(), "order-1");
  erase(under_test, erasure("order-1", 2, 3));
  lane.reset();
  under_test.reopen();
  erase(under_test, erasure("order-1", 3, 5));
  expect_erased(was, read_stream(under_test.storage(), "order-1"), "order-1", 2, 5);
  const auto records = recorded(under_test, "order-1");
  expect_equal("asked for the records", std::size_t{2}, records.size());
  const Erasure wanted = erasure("order-1", 2, 3);
  expect_equal("the record's stream", wanted.stream, records[0].stream);
  expect_equal("the record's first", wanted.first, records[0].first);
  expect_equal("the record's last", wanted.last, records[0].last);
  expect_equal("the record's time", wanted.time.micros, records[0].time.micros);
  expect_equal("the record's reason", wanted.reason, records[0].reason);
  expect_equal("the record's events", std::uint64_t{2}, records[0].events);
  expect_equal("the second record's first", Version{3}, records[1].first);
  expect_equal("the second record's events", std::uint64_t{2}, records[1].events);
  expect_equal("asked another stream", std::size_t{0}, recorded(under_test, "Order-1").size());
}

void survives_a_crash(StorageUnderTest& under_test) {
  erasures_of(under_test);
  auto lane = open_lane(under_test);
  store(*lane, secrets_to("order-1", 3));
  const auto was = read_stream(under_test.storage(), "order-1");
  erase(under_test, erasure("order-1", 1, 2));
  under_test.crash();
  expect_erased(was, read_stream(under_test.storage(), "order-1"), "order-1", 1, 2);
  expect_equal("erased again after a crash, events", std::uint64_t{0},
               erase(under_test, erasure("order-1", 1, 2)).events);
  expect_equal("asked for the records", std::size_t{1}, recorded(under_test, "order-1").size());
}

void retries_stay_duplicates_by_key(StorageUnderTest& under_test) {
  erasures_of(under_test);
  auto lane = open_lane(under_test);
  Append keyed = with_key(secrets_to("order-1", 2), "key");
  const StageResult first = store(*lane, keyed);
  const Append plain = secrets_to("order-1", 2);
  store(*lane, plain);
  store(*lane, plain, StageOutcome::duplicate);
  erase(under_test, erasure("order-1", 1, 4));
  const StageResult again = store(*lane, keyed, StageOutcome::duplicate);
  expect_equal("repeated an erased append with its key, ids", ids_of(keyed), again.ids);
  expect_equal("repeated an erased append with its key, last", first.ranges[0].last,
               again.ranges[0].last);
  store(*lane, plain, StageOutcome::id_reused);
  expect_equal("read the stream", Version{4}, head_of(under_test.storage(), "order-1"));
  expect_equal("read the stream, data", std::string(kTombstoneData),
               read_stream(under_test.storage(), "order-1")[2].data);
}

void dead_letters_stay(StorageUnderTest& under_test) {
  erasures_of(under_test);
  void* const found = under_test.storage().query(DeadLetterStore::kInterface);
  if (found == nullptr) throw CaseSkipped("the storage keeps no dead letters");
  auto& letters = *static_cast<DeadLetterStore*>(found);
  auto lane = open_lane(under_test);
  const Append append = secrets_to("order-1", 1);
  store(*lane, append);
  DeadLetter letter;
  letter.key = {"route", "order-1"};
  letter.partition = append.writes[0].partition;
  letter.version = letter.last = {1};
  letter.event = append.writes[0].events[0].id;
  letter.reason = "too large";
  expect_ok("kept a dead letter", letters.put(std::span<const DeadLetter>(&letter, 1)));
  erase(under_test, erasure("order-1", 1, 1));
  const auto kept = expect_value("asked for the dead letter", letters.find(letter.key));
  expect(kept.has_value(), "erased an event that waits as a dead letter", "the letter", "nothing");
  expect_equal("erased an event that waits as a dead letter, its event", letter.event, kept->event);
}

void alongside_appends(StorageUnderTest& under_test) {
  erasures_of(under_test);
  constexpr std::uint32_t kAppends = 40;
  auto lane = open_lane(under_test);
  store(*lane, secrets_to("order-1", 50));
  std::atomic<bool> over{false};
  std::uint64_t erased = 0;
  on_threads(2, [&](std::uint32_t thread) {
    if (thread == 0) {
      for (std::uint32_t i = 0; i < kAppends; ++i) store(*lane, secrets_to("order-1", 1));
      over = true;
      return;
    }
    do {
      // Contended is an answer: nothing happened.
      const auto outcome = erasures_of(under_test).erase(erasure("order-1", 1, 1'000));
      if (!outcome.ok()) {
        expect_code("erased while appending", StatusCode::contended, outcome.status());
        continue;
      }
      erased += outcome->events;
    } while (!over);
  });
  erased += erase(under_test, erasure("order-1", 1, 1'000)).events;
  expect_equal("erased while appending, events in all", std::uint64_t{50 + kAppends}, erased);
  const auto events = read_stream(under_test.storage(), "order-1");
  expect_equal("read the stream, events", std::size_t{50 + kAppends}, events.size());
  for (const Event& event : events) {
    expect_equal("read the stream, data", std::string(kTombstoneData), event.data);
  }
  std::uint64_t counted = 0;
  for (const ErasureRecord& record : recorded(under_test, "order-1")) counted += record.events;
  expect_equal("counted the records' events", erased, counted);
}

void several_at_once(StorageUnderTest& under_test) {
  erasures_of(under_test);
  constexpr std::uint64_t kEvents = 60;
  constexpr std::uint32_t kThreads = 4;
  auto lane = open_lane(under_test);
  store(*lane, secrets_to("order-1", kEvents));
  std::vector<std::uint64_t> erased(kThreads);
  on_threads(kThreads, [&](std::uint32_t thread) {
    for (std::uint64_t first = 1 + thread; first <= kEvents; first += 5) {
      erased[thread] += erase(under_test, erasure("order-1", first, first + 19)).events;
    }
  });
  std::uint64_t all = 0;
  for (const std::uint64_t of_thread : erased) all += of_thread;
  expect_equal("erased overlapping ranges at once, events in all", kEvents, all);
  std::uint64_t counted = 0;
  for (const ErasureRecord& record : recorded(under_test, "order-1")) counted += record.events;
  expect_equal("counted the records' events", kEvents, counted);
}

void large_stream_at_once(StorageUnderTest& under_test) {
  erasures_of(under_test);
  auto lane = open_lane(under_test);
  constexpr std::size_t kGroups = 10;
  constexpr std::size_t kEvents = 500;
  for (std::size_t i = 0; i < kGroups; ++i) {
    Append append = secrets_to("order-1", kEvents);
    for (NewEvent& event : append.writes[0].events) event.data.assign(2'000, 'x');
    store(*lane, append);
    store(*lane, secrets_to("order-2", 1));
  }
  const ErasureOutcome outcome = erase(under_test, erasure("order-1", 1, 1'000'000));
  expect_equal("erased a large stream, events", std::uint64_t{kGroups * kEvents}, outcome.events);
  for (const Event& event : read_stream(under_test.storage(), "order-1")) {
    expect_equal("read the stream, data", std::string(kTombstoneData), event.data);
  }
  for (const Event& event : read_stream(under_test.storage(), "order-2")) {
    expect_equal("read another stream, data", kSecret, event.data);
  }
}

constexpr StorageCase kCases[] = {
    {"storage.erase.tombstone_everywhere",
     "An erased event is a tombstone in its stream, the feed, by id and for delivery; everything "
     "else stays.",
     tombstone_everywhere},
    {"storage.erase.cut_to_the_head", "A range beyond the head ends at the head of that moment.",
     whole_stream_is_cut_to_the_head},
    {"storage.erase.repeating_changes_nothing",
     "An event keeps its first tombstone; an erasure without anything to erase is not recorded.",
     repeating_changes_nothing},
    {"storage.erase.snapshots", "Snapshots from the range's first version on go, older ones stay.",
     snapshots_from_the_range_on_go},
    {"storage.erase.refused", "Unknown streams, empty ranges and too long reasons change nothing.",
     unknown_and_empty_are_refused},
    {"storage.erase.appends_go_on", "Versions and expectations count on after an erasure.",
     appends_go_on},
    {"storage.erase.record_survives_reopen", "Erasures and their records are stored.",
     record_survives_reopen},
    {"storage.erase.survives_a_crash", "An erasure that was answered outlives a crash of the host.",
     survives_a_crash},
    {"storage.erase.retries",
     "After an erasure a key still makes a duplicate; ids without a key are refused as reused.",
     retries_stay_duplicates_by_key},
    {"storage.erase.dead_letters_stay", "A dead letter outlives the erasure of its event.",
     dead_letters_stay},
    {"storage.erase.alongside_appends",
     "Erasing and appending to one stream at once loses neither and counts every event once.",
     alongside_appends},
    {"storage.erase.several_at_once",
     "Of several erasures of an event at once exactly one erases it.", several_at_once},
    {"storage.erase.large_stream", "Thousands of events are erased in one step.",
     large_stream_at_once},
};

}  // namespace

std::span<const StorageCase> erase_cases() {
  return kCases;
}

}  // namespace vouch::conformance
