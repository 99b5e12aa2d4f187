// Cases about one group of appends: versions, conflicts, atomicity, preconditions.
#include "storage_cases.h"
#include "storage_kit.h"

namespace vouch::conformance {
namespace {

void expect_range(const StageResult& result, std::uint64_t first, std::uint64_t last,
                  std::size_t write = 0) {
  expect(result.ranges.size() > write, "staged an append", "a version range for each write",
         std::to_string(result.ranges.size()) + " ranges");
  expect_equal("staged an append, first version", Version{first}, result.ranges[write].first);
  expect_equal("staged an append, last version", Version{last}, result.ranges[write].last);
}

void versions_are_dense(StorageUnderTest& under_test) {
  auto lane = open_lane(under_test);
  expect_range(store(*lane, append_to("order-1", 3)), 1, 3);
  expect_range(store(*lane, append_to("order-1", 1)), 4, 4);
  expect_range(store(*lane, append_to("order-1", 2)), 5, 6);
  expect_equal("read a stream's versions", std::vector<std::uint64_t>{1, 2, 3, 4, 5, 6},
               versions_of(read_stream(under_test.storage(), "order-1")));
}

void nothing_is_visible_before_commit(StorageUnderTest& under_test) {
  auto lane = open_lane(under_test);
  const Append append = append_to("order-1", 2);
  stage(*lane, {append});
  Storage& storage = under_test.storage();
  expect_equal("read a staged stream's head", Version{0}, head_of(storage, "order-1"));
  expect_equal("read a staged stream", std::size_t{0}, read_stream(storage, "order-1").size());
  expect_equal("read the feed", std::size_t{0}, read_feed(storage, {{}, {}, {}, 10}).events.size());
  expect_equal("asked the ledger", std::size_t{0}, ready(storage).deliveries.size());
  commit(*lane);
  expect_equal("read a committed stream's head", Version{2}, head_of(storage, "order-1"));
}

void rollback_leaves_no_trace(StorageUnderTest& under_test) {
  auto lane = open_lane(under_test);
  const Append append = with_key(append_to("order-1", 2), "key");
  stage(*lane, {append});
  lane->rollback();
  lane->rollback();
  Storage& storage = under_test.storage();
  expect_equal("read a rolled back stream", Version{0}, head_of(storage, "order-1"));
  expect_equal("asked the ledger", std::size_t{0}, ready(storage).deliveries.size());
  expect_range(store(*lane, append), 1, 2);
}

void destruction_rolls_back(StorageUnderTest& under_test) {
  auto lane = open_lane(under_test);
  stage(*lane, {append_to("order-1")});
  lane.reset();
  lane = open_lane(under_test);
  expect_equal("read a stream whose lane was destroyed", Version{0},
               head_of(under_test.storage(), "order-1"));
  expect_range(store(*lane, append_to("order-1")), 1, 1);
}

void empty_group(StorageUnderTest& under_test) {
  auto lane = open_lane(under_test);
  store(*lane, append_to("order-1"));
  const StagedGroup group = stage(*lane, {append_to("order-1", 1, ExpectedVersion::none()),
                                          append_to("order-2", 1, ExpectedVersion::exists())});
  expect_equal("staged nothing, deliveries", std::size_t{0}, group.deliveries.size());
  commit(*lane);
  expect_range(store(*lane, append_to("order-1")), 2, 2);
}

void expected_version(StorageUnderTest& under_test) {
  auto lane = open_lane(under_test);
  using Expected = ExpectedVersion;
  store(*lane, append_to("order-1", 1, Expected::exists()), StageOutcome::wrong_version);
  store(*lane, append_to("order-1", 1, Expected::exact({3})), StageOutcome::wrong_version);
  store(*lane, append_to("order-1", 2, Expected::none()));
  const StageResult none =
      store(*lane, append_to("order-1", 1, Expected::none()), StageOutcome::wrong_version);
  expect_equal("expected no stream, actual", Version{2}, none.actual);
  expect_equal("expected no stream, failed write", 0U, none.failed);
  store(*lane, append_to("order-1", 1, Expected::exists()));
  store(*lane, append_to("order-1", 1, Expected::exact({3})));
  store(*lane, append_to("order-1", 1, Expected::exact({3})), StageOutcome::wrong_version);
  expect_range(store(*lane, append_to("order-1", 1, Expected::any())), 5, 5);
  store(*lane, append_to("order-2", 1, Expected::exact({0})));
}

void known_head_is_no_reason_to_refuse(StorageUnderTest& under_test) {
  auto lane = open_lane(under_test);
  store(*lane, append_to("order-1", 3));
  Append stale = append_to("order-1", 1, ExpectedVersion::exact({3}));
  stale.writes[0].known_head = Version{1};
  expect_range(store(*lane, stale), 4, 4);
  Append wrong = append_to("order-1", 1, ExpectedVersion::exact({3}));
  wrong.writes[0].known_head = Version{2};
  const StageResult refused = store(*lane, wrong, StageOutcome::wrong_version);
  expect_equal("refused a version that was asked for, actual", Version{4}, refused.actual);
}

void known_head_draws_versions(StorageUnderTest& under_test) {
  auto lane = open_lane(under_test);
  store(*lane, append_to("order-1", 3));
  Append known = append_to("order-1", 2, ExpectedVersion::exact({3}));
  known.writes[0].known_head = Version{3};
  Append fresh = append_to("order-2", 1);
  fresh.writes[0].known_head = Version{0};
  Append again = append_to("order-1", 1);
  again.writes[0].known_head = Version{3};
  const StagedGroup group = stage(*lane, {known, fresh, again});
  expect_range(group.results[0], 4, 5);
  expect_range(group.results[1], 1, 1);
  expect_range(group.results[2], 6, 6);
  commit(*lane);
  expect_equal("read the head", Version{6}, head_of(under_test.storage(), "order-1"));
}

void stale_head_is_lost_race(StorageUnderTest& under_test) {
  if (lanes_allowed(under_test, 2) < 2 && !under_test.storage().capabilities().several_hosts) {
    throw CaseSkipped("one lane of one host: nobody else can move a head");
  }
  auto lane = open_lane(under_test);
  store(*lane, append_to("order-1", 3));
  Append stale = append_of({write_to("order-2"), write_to("order-1", 2)});
  stale.writes[1].known_head = Version{1};
  const StagedGroup group = stage(*lane, {append_to("order-3"), stale, append_to("order-4")});
  expect_equal("appended behind a stale head", StageOutcome::lost_race, group.results[1].outcome);
  expect_equal("staged its neighbour", StageOutcome::staged, group.results[0].outcome);
  expect_equal("staged its neighbour", StageOutcome::staged, group.results[2].outcome);
  commit(*lane);
  Storage& storage = under_test.storage();
  expect_equal("read the raced stream", Version{3}, head_of(storage, "order-1"));
  expect_equal("read the other stream of the append", Version{0}, head_of(storage, "order-2"));
  expect_equal("read the neighbour's stream", Version{1}, head_of(storage, "order-4"));
  stale.writes[1].known_head.reset();
  const StageResult repeated = store(*lane, stale);
  expect_range(repeated, 4, 5, 1);
}

void conflict_spares_neighbours(StorageUnderTest& under_test) {
  auto lane = open_lane(under_test);
  store(*lane, append_to("order-1"));
  const StagedGroup group =
      stage(*lane, {append_to("order-2"), append_to("order-1", 1, ExpectedVersion::none()),
                    append_to("order-3"), append_to("order-1", 1, ExpectedVersion::exact({1}))});
  const std::vector<StageOutcome> expected{StageOutcome::staged, StageOutcome::wrong_version,
                                           StageOutcome::staged, StageOutcome::staged};
  for (std::size_t i = 0; i < expected.size(); ++i) {
    expect_equal("staged append " + std::to_string(i) + " of a group", expected[i],
                 group.results[i].outcome);
  }
  commit(*lane);
  for (const char* stream : {"order-2", "order-3"}) {
    expect_equal("read a neighbour's stream", Version{1}, head_of(under_test.storage(), stream));
  }
  expect_equal("read the stream", Version{2}, head_of(under_test.storage(), "order-1"));
}

void group_sees_its_own(StorageUnderTest& under_test) {
  auto lane = open_lane(under_test);
  const StagedGroup group =
      stage(*lane, {append_to("order-1", 2, ExpectedVersion::none()),
                    append_to("order-1", 1, ExpectedVersion::exact({2})),
                    append_to("order-1", 1, ExpectedVersion::none()), append_to("order-1", 1)});
  expect_range(group.results[0], 1, 2);
  expect_range(group.results[1], 3, 3);
  expect_equal("expected no stream after the group made it", StageOutcome::wrong_version,
               group.results[2].outcome);
  expect_equal("the group's own head", Version{3}, group.results[2].actual);
  expect_range(group.results[3], 4, 4);
  commit(*lane);
  expect_equal("read the stream", std::vector<std::uint64_t>{1, 2, 3, 4},
               versions_of(read_stream(under_test.storage(), "order-1")));
}

void multi_event_is_atomic(StorageUnderTest& under_test) {
  auto lane = open_lane(under_test);
  store(*lane, append_to("order-3", 2));
  const Append append = append_of({write_to("order-1", 5), write_to("order-2", 3),
                                   write_to("order-3", 2, ExpectedVersion::exact({1}))});
  const StagedGroup group = stage(*lane, {append_to("order-1"), append, append_to("order-2")});
  expect_equal("staged an append of three streams", StageOutcome::wrong_version,
               group.results[1].outcome);
  expect_equal("the write that failed", 2U, group.results[1].failed);
  expect_equal("its stream's version", Version{2}, group.results[1].actual);
  expect_range(group.results[0], 1, 1);
  expect_range(group.results[2], 1, 1);
  commit(*lane);
  Storage& storage = under_test.storage();
  expect_equal("read the first stream", Version{1}, head_of(storage, "order-1"));
  expect_equal("read the second stream", Version{1}, head_of(storage, "order-2"));
  expect_equal("counted events in the feed", std::size_t{4},
               read_feed(storage, {{}, {}, {}, 100}).events.size());
}

void several_streams(StorageUnderTest& under_test) {
  auto lane = open_lane(under_test);
  store(*lane, append_to("order-2", 4));
  const Append append =
      append_of({write_to("zebra-1", 2, ExpectedVersion::none()),
                 write_to("order-2", 1, ExpectedVersion::exact({4})), write_to("apple-1", 3)});
  const StageResult result = store(*lane, append);
  expect_range(result, 1, 2, 0);
  expect_range(result, 5, 5, 1);
  expect_range(result, 1, 3, 2);
  const auto events = read_stream(under_test.storage(), "apple-1");
  expect_equal("read the third stream", std::size_t{3}, events.size());
  expect_equal("read its last id", append.writes[2].events[2].id, events[2].id);
}

void preconditions(StorageUnderTest& under_test) {
  auto lane = open_lane(under_test);
  store(*lane, append_to("account-1", 2));
  Append append = append_of({write_to("order-1"), write_to("order-2")});
  append.preconditions = {{name("account-1"), ExpectedVersion::exact({2})},
                          {name("account-2"), ExpectedVersion::exists()}};
  const StageResult refused = store(*lane, append, StageOutcome::wrong_version);
  expect_equal("a precondition failed, its index", 3U, refused.failed);
  expect_equal("a precondition failed, actual", Version{0}, refused.actual);
  expect_equal("read a stream of the append", Version{0}, head_of(under_test.storage(), "order-1"));
  append.preconditions[1].expected = ExpectedVersion::none();
  store(*lane, append);
  Append in_group = append_to("order-3");
  in_group.preconditions = {{name("account-2"), ExpectedVersion::exact({1})}};
  const StagedGroup group = stage(*lane, {append_to("account-2"), in_group});
  expect_equal("a precondition met by the append before it", StageOutcome::staged,
               group.results[1].outcome);
  commit(*lane);
}

void deliveries_of_a_group(StorageUnderTest& under_test) {
  auto lane = open_lane(under_test);
  std::vector<Append> appends;
  for (int i = 0; i < 40; ++i) appends.push_back(append_to("order-" + std::to_string(i), 2));
  const StagedGroup group = stage(*lane, appends);
  std::uint64_t events = 0;
  for (std::size_t i = 0; i < group.deliveries.size(); ++i) {
    const Delivery& delivery = group.deliveries[i];
    events += delivery.events;
    expect_equal("the token of a delivery", group.token, delivery.token);
    for (std::size_t j = 0; j < i; ++j) {
      expect(group.deliveries[j].id.partition != delivery.id.partition,
             "staged a group, deliveries", "one for each partition", "two for one");
    }
  }
  expect_equal("events of all deliveries", std::uint64_t{80}, events);
  for (std::size_t i = 0; i < appends.size(); ++i) {
    const auto& mine = group.results[i].deliveries;
    expect_equal("deliveries of an append to one stream", std::size_t{1}, mine.size());
    expect_equal("an append's delivery, its partition", appends[i].writes[0].partition.value,
                 mine.front().partition.value);
  }
  commit(*lane);
}

void ten_thousand_streams(StorageUnderTest& under_test) {
  constexpr std::size_t kStreams = 10'000;
  auto lane = open_lane(under_test);
  std::vector<Append> appends;
  for (std::size_t i = 0; i < kStreams; ++i) {
    appends.push_back(append_to("wide-" + std::to_string(i), 1, ExpectedVersion::none()));
  }
  const StagedGroup group = stage(*lane, appends);
  for (const StageResult& result : group.results) {
    expect_equal("staged one of 10,000 appends", StageOutcome::staged, result.outcome);
  }
  commit(*lane);
  std::vector<StreamName> names;
  for (const Append& append : appends) names.push_back(append.writes[0].stream);
  const auto heads = expect_value("read 10,000 heads", under_test.storage().reader().heads(names));
  for (const Version head : heads) expect_equal("read one of 10,000 heads", Version{1}, head);
  expect_equal("read the feed", kStreams,
               read_feed(under_test.storage(), {{}, {}, {}, 777}).events.size());
}

constexpr StorageCase kCases[] = {
    {"storage.append.versions_are_dense", "A stream's versions are 1, 2, 3 and so on.",
     versions_are_dense},
    {"storage.append.nothing_is_visible_before_commit", "Staged events are seen by nobody else.",
     nothing_is_visible_before_commit},
    {"storage.append.rollback_leaves_no_trace", "Rolled back events, keys and ids are free again.",
     rollback_leaves_no_trace},
    {"storage.append.destruction_rolls_back", "A lane that goes takes its transaction with it.",
     destruction_rolls_back},
    {"storage.append.empty_group_commits", "A group in which nothing was staged commits.",
     empty_group},
    {"storage.append.expected_version", "Demands on a stream's version are kept.",
     expected_version},
    {"storage.append.known_head_is_no_reason_to_refuse",
     "wrong_version is never answered from the caller's memory.",
     known_head_is_no_reason_to_refuse},
    {"storage.append.known_head_draws_versions", "A true known head gives the right versions.",
     known_head_draws_versions},
    {"storage.append.stale_head_is_lost_race",
     "An append behind a stale head loses the race, as a whole, and may be repeated.",
     stale_head_is_lost_race},
    {"storage.append.conflict_spares_neighbours", "One append's conflict fails no other.",
     conflict_spares_neighbours},
    {"storage.append.group_sees_its_own", "Appends see the ones before them in the group.",
     group_sees_its_own},
    {"storage.append.multi_event_is_atomic", "Of an append all is stored, or nothing.",
     multi_event_is_atomic},
    {"storage.append.several_streams", "An append of several streams draws versions in each.",
     several_streams},
    {"storage.append.preconditions", "Demands on streams that are not written are kept.",
     preconditions},
    {"storage.group.deliveries", "A group has one delivery for each partition.",
     deliveries_of_a_group},
    {"storage.group.ten_thousand_streams", "A group may write 10,000 streams.",
     ten_thousand_streams},
};

}  // namespace

std::span<const StorageCase> append_cases() {
  return kCases;
}

}  // namespace vouch::conformance
