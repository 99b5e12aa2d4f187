// Cases about migration, lanes' locks, and what names and payloads may hold.
#include "storage_cases.h"
#include "storage_kit.h"

namespace vouch::conformance {
namespace {

void migrate_is_idempotent(StorageUnderTest& under_test) {
  auto lane = open_lane(under_test);
  store(*lane, append_to("order-1", 2));
  lane.reset();
  expect_ok("migrated again", under_test.storage().migrate(StorageUnderTest::identity()));
  expect_equal("read after a second migrate", Version{2}, head_of(under_test.storage(), "order-1"));
}

void refuse_identity(StorageUnderTest& under_test, const StoreIdentity& other,
                     const std::string& mine, const std::string& theirs) {
  const Status status = under_test.storage().migrate(other);
  expect_code("migrated to another identity", StatusCode::failed_precondition, status);
  for (const std::string& value : {mine, theirs}) {
    expect(status.message().find(value) != std::string::npos, "refused another identity",
           "a message with " + value, status.message());
  }
}

void other_partition_count_is_refused(StorageUnderTest& under_test) {
  StoreIdentity other = StorageUnderTest::identity();
  other.partitions = 17;
  refuse_identity(under_test, other, "8", "17");
  expect_ok("migrated to the own identity afterwards",
            under_test.storage().migrate(StorageUnderTest::identity()));
}

void other_name_is_refused(StorageUnderTest& under_test) {
  StoreIdentity other = StorageUnderTest::identity();
  other.name = "somebodyelse";
  refuse_identity(under_test, other, "conformance", "somebodyelse");
}

void check_accepts(StorageUnderTest& under_test) {
  expect_ok("checked the database's settings", under_test.storage().check());
  const Health health = under_test.storage().health();
  expect(health.ok, "asked an open storage for its health", "ok", health.detail);
  expect(!under_test.storage().guarantees().empty(), "asked what a commit survives", "words",
         "none");
}

void lane_is_exclusive(StorageUnderTest& under_test) {
  auto first = open_lane(under_test, 0);
  auto second = under_test.storage().lane({0}, std::chrono::milliseconds(50));
  expect_code("opened a lane twice", StatusCode::held, second.status());
  first.reset();
  open_lane(under_test, 0);
}

void close_is_idempotent(StorageUnderTest& under_test) {
  auto lane = open_lane(under_test);
  store(*lane, append_to("order-1"));
  lane.reset();
  under_test.storage().close();
  under_test.storage().close();
  under_test.reopen();
  expect_equal("read after close and open", Version{1}, head_of(under_test.storage(), "order-1"));
}

Event round_trip(StorageUnderTest& under_test, const NewEvent& event) {
  auto lane = open_lane(under_test);
  Append append = append_to("payload-1", 1);
  append.writes[0].events[0] = event;
  store(*lane, append);
  const auto events = read_stream(under_test.storage(), "payload-1");
  expect_equal("read an event back, events", std::size_t{1}, events.size());
  const Event& stored = events.front();
  expect_equal("read an event back, id", event.id, stored.id);
  expect_equal("read an event back, type", event.type, stored.type);
  expect_equal("read an event back, time", event.time.micros, stored.time.micros);
  expect_equal("read an event back, content type", event.content_type, stored.content_type);
  expect_bytes("read an event back, data", event.data, stored.data);
  expect_bytes("read an event back, metadata", event.metadata, stored.metadata);
  const Page feed = read_feed(under_test.storage(), {{}, {}, {}, 10});
  expect_equal("read it from the feed, events", std::size_t{1}, feed.events.size());
  expect_bytes("read it from the feed, data", event.data, feed.events[0].data);
  const Ready waiting = ready(under_test.storage());
  expect_equal("read it from the ledger, deliveries", std::size_t{1}, waiting.events.size());
  expect_equal("read it from the ledger, events", std::size_t{1}, waiting.events[0].size());
  expect_bytes("read it from the ledger, data", event.data, waiting.events[0][0].data);
  return stored;
}

void every_byte_value(StorageUnderTest& under_test) {
  NewEvent event = new_event();
  event.content_type = "application/octet-stream";
  event.data.clear();
  for (int round = 0; round < 3; ++round) {
    for (int byte = 0; byte < 256; ++byte) event.data.push_back(static_cast<char>(byte));
  }
  round_trip(under_test, event);
}

void empty_payload(StorageUnderTest& under_test) {
  NewEvent event = new_event();
  event.data.clear();
  event.metadata.clear();
  event.content_type.clear();
  round_trip(under_test, event);
}

void one_mebibyte(StorageUnderTest& under_test) {
  constexpr std::size_t kSize = 1U << 20U;
  const std::uint64_t limit = under_test.storage().capabilities().max_event_bytes;
  if (limit != 0 && limit < kSize) throw CaseSkipped("max_event_bytes is below 1 MiB");
  NewEvent event = new_event();
  event.data.clear();
  for (std::size_t i = 0; i < kSize; ++i) event.data.push_back(static_cast<char>(i * 31 + i / 7));
  round_trip(under_test, event);
}

void unicode_and_times(StorageUnderTest& under_test) {
  NewEvent event = new_event("Größe'\"\\;--geändert");
  event.metadata = "{\"who\":\"Zoë 🦊\"}";
  event.data = "{\"text\":\"\\u0000 naïve 日本語 🚀\"}";
  event.time = {-1};
  round_trip(under_test, event);
}

void names_limits(StorageUnderTest& under_test) {
  std::string every = "a";
  for (char c = 'a'; c <= 'z'; ++c) every.push_back(c);
  for (char c = 'A'; c <= 'Z'; ++c) every.push_back(c);
  every += "0123456789-._:@~";
  std::string longest = every;
  while (longest.size() < StreamName::kMaxBytes) longest += every;
  longest.resize(StreamName::kMaxBytes);
  auto lane = open_lane(under_test);
  for (const std::string& stream : {std::string("a"), every, longest}) {
    store(*lane, append_to(stream, 2));
    const auto events = read_stream(under_test.storage(), stream);
    expect_equal("read a stream with a name of " + std::to_string(stream.size()) + " bytes",
                 std::size_t{2}, events.size());
    expect_equal("read a stream's name back", stream, events.front().stream.str());
  }
}

void names_are_case_sensitive(StorageUnderTest& under_test) {
  auto lane = open_lane(under_test);
  const auto group = stage(*lane, {append_to("Order-a"), append_to("order-A"), append_to("order-a"),
                                   append_to("order-a.")});
  for (const StageResult& result : group.results) {
    expect_equal("appended to streams that differ in case", StageOutcome::staged, result.outcome);
    expect_equal("appended to a new stream", Version{1}, result.ranges.front().first);
  }
  commit(*lane);
  expect_equal("read a stream of several that differ in case", Version{1},
               head_of(under_test.storage(), "order-a"));
}

constexpr StorageCase kCases[] = {
    {"storage.migrate.is_idempotent", "A second migrate changes nothing.", migrate_is_idempotent},
    {"storage.migrate.other_partition_count_is_refused",
     "A host with another partition count is refused, in words with both.",
     other_partition_count_is_refused},
    {"storage.migrate.other_name_is_refused",
     "A host with another store name is refused, in words with both.", other_name_is_refused},
    {"storage.check.accepts_the_fixture", "check, health and guarantees speak of an open storage.",
     check_accepts},
    {"storage.lane.is_exclusive", "A lane belongs to one session at a time.", lane_is_exclusive},
    {"storage.close.is_idempotent", "A second close is harmless, and nothing committed is lost.",
     close_is_idempotent},
    {"storage.payload.every_byte_value", "All byte values come back exactly.", every_byte_value},
    {"storage.payload.empty", "Empty data, metadata and content type come back empty.",
     empty_payload},
    {"storage.payload.one_mebibyte", "A payload of 1 MiB comes back exactly.", one_mebibyte},
    {"storage.payload.unicode_and_times",
     "Types, metadata and times before 1970 come back exactly.", unicode_and_times},
    {"storage.names.limits", "Stream names of 1 to 255 legal bytes are kept.", names_limits},
    {"storage.names.are_case_sensitive", "Names that differ in case are different streams.",
     names_are_case_sensitive},
};

}  // namespace

std::span<const StorageCase> setup_cases() {
  return kCases;
}

}  // namespace vouch::conformance
