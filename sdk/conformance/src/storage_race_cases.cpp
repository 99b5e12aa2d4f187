// Cases with several lanes at once. They skip where the storage allows one.
#include <algorithm>
#include <atomic>
#include <map>
#include <set>
#include <thread>

#include "storage_cases.h"
#include "storage_kit.h"

namespace vouch::conformance {
namespace {

constexpr std::uint32_t kSessions = 32;

/// Stages and commits one append until something final comes of it.
StageResult store_with_retries(Lane& lane, const Append& append) {
  constexpr int kMaxTries = 5'000;
  for (int tries = 0; tries < kMaxTries; ++tries) {
    auto group = lane.stage(std::span<const Append>(&append, 1));
    if (!group.ok()) {
      expect_code("staged in a race", StatusCode::contended, group.status());
      continue;
    }
    const StageResult result = group->results.front();
    if (result.outcome == StageOutcome::lost_race) {
      lane.rollback();
      continue;
    }
    commit(lane);
    return result;
  }
  throw ConformanceFailure("repeated an append in a race", "an end",
                           std::to_string(kMaxTries) + " lost races");
}

std::vector<std::unique_ptr<Lane>> open_lanes(StorageUnderTest& under_test, std::uint32_t count) {
  std::vector<std::unique_ptr<Lane>> lanes;
  for (std::uint32_t i = 0; i < count; ++i) lanes.push_back(open_lane(under_test, i));
  return lanes;
}

void one_winner_per_version(StorageUnderTest& under_test) {
  constexpr int kStreams = 12;
  const std::uint32_t count = lanes_allowed(under_test, kSessions);
  auto lanes = open_lanes(under_test, count);
  std::vector<std::atomic<int>> winners(kStreams);
  on_threads(count, [&](std::uint32_t i) {
    for (int s = 0; s < kStreams; ++s) {
      const Append append = append_to("prize-" + std::to_string(s), 2, ExpectedVersion::none());
      if (store_with_retries(*lanes[i], append).outcome == StageOutcome::staged) ++winners[s];
    }
  });
  for (int s = 0; s < kStreams; ++s) {
    expect_equal("raced for a new stream, winners", 1, winners[s].load());
    expect_equal("raced for a new stream, its head", Version{2},
                 head_of(under_test.storage(), "prize-" + std::to_string(s)));
  }
}

void hot_stream_stays_dense(StorageUnderTest& under_test) {
  constexpr std::uint32_t kRounds = 15;
  const std::uint32_t count = lanes_allowed(under_test, kSessions);
  auto lanes = open_lanes(under_test, count);
  on_threads(count, [&](std::uint32_t i) {
    for (std::uint32_t round = 0; round < kRounds; ++round) {
      // Half of the lanes name the streams the other way round: the order that deadlocks.
      std::vector<Write> writes{write_to("hot-1", 2), write_to("hot-2", 1)};
      if (i % 2 == 1) std::swap(writes[0], writes[1]);
      const StageResult result = store_with_retries(*lanes[i], append_of(writes));
      expect_equal("appended to hot streams", StageOutcome::staged, result.outcome);
    }
  });
  std::vector<std::uint64_t> dense;
  for (std::uint64_t v = 1; v <= std::uint64_t{count} * kRounds * 2; ++v) dense.push_back(v);
  expect_equal("read a hot stream's versions", dense,
               versions_of(read_stream(under_test.storage(), "hot-1")));

  // Ledger order is version order, whoever committed when.
  std::map<std::string, std::uint64_t> last;
  LedgerNumber number{0};
  const Ready waiting = ready(under_test.storage());
  for (std::size_t i = 0; i < waiting.deliveries.size(); ++i) {
    expect(number < waiting.deliveries[i].id.number, "read the ledger, the next number",
           "above " + std::to_string(number.value), describe(waiting.deliveries[i].id));
    number = waiting.deliveries[i].id.number;
    for (const Event& event : waiting.events[i]) {
      expect_equal("read the ledger, next version of a stream", ++last[event.stream.str()],
                   event.version.value);
    }
  }
  last.clear();
  for (const Event& event : read_feed(under_test.storage(), {{}, {}, {}, 50}).events) {
    expect_equal("read the feed, next version of a stream", ++last[event.stream.str()],
                 event.version.value);
  }
}

void feed_under_writers(StorageUnderTest& under_test) {
  constexpr std::uint32_t kRounds = 40;
  const std::uint32_t count = lanes_allowed(under_test, 8);
  auto lanes = open_lanes(under_test, count);
  std::atomic<std::uint32_t> writing{count};
  Storage& storage = under_test.storage();
  std::set<EventId> seen;
  std::map<std::string, std::uint64_t> last;
  on_threads(count + 1, [&](std::uint32_t i) {
    if (i < count) {
      struct Done {
        std::atomic<std::uint32_t>& left;
        ~Done() { --left; }
      } const done{writing};
      for (std::uint32_t round = 0; round < kRounds; ++round) {
        const Append append = append_of({write_to("own-" + std::to_string(i)),
                                         write_to("shared-" + std::to_string(round % 3))});
        store_with_retries(*lanes[i], append);
      }
      return;
    }
    Cursor after;
    for (bool last_round = false; !last_round;) {
      last_round = writing.load() == 0;
      const Page page = read_feed(storage, {after, {}, {}, 7});
      for (const Event& event : page.events) {
        expect(seen.insert(event.id).second, "read the feed beside writers", "each event once",
               described(event) + " twice");
        expect_equal("read the feed beside writers, next version", ++last[event.stream.str()],
                     event.version.value);
      }
      after = page.next;
    }
  });
  expect_equal("read the feed beside writers, events", std::size_t{count} * kRounds * 2,
               seen.size());
}

void late_commit_is_not_skipped(StorageUnderTest& under_test) {
  need_lanes(under_test, 2);
  auto early = open_lane(under_test, 0);
  auto late = open_lane(under_test, 1);
  Storage& storage = under_test.storage();
  std::set<EventId> seen;
  const auto read_on = [&](const Cursor& after) {
    const Page page = read_feed(storage, {after, {}, {}, 10});
    for (const Event& event : page.events) {
      expect(seen.insert(event.id).second, "read the feed", "each event once", "one twice");
    }
    return page.next;
  };
  const Append begun_first = append_to("slow-1", 2);
  stage(*late, {begun_first});
  const Append quick = append_to("quick-1", 2);
  store(*early, quick);
  const Cursor cursor = read_on({});
  const Cursor end = expect_value("asked for the feed's end", storage.reader().feed_end());
  commit(*late);
  const Cursor next = read_on(cursor);
  for (const Append* append : {&begun_first, &quick}) {
    for (const EventId& id : ids_of(*append)) {
      expect(seen.contains(id), "read the feed past a late commit", "every event", "one missing");
    }
  }
  const Page behind = read_feed(storage, {end, {}, {}, 10});
  expect(behind.events.size() >= 2, "read from an end taken before a late commit",
         "2 events at least", std::to_string(behind.events.size()));
  expect(expect_value("compared cursors", storage.reader().reached(next, end)),
         "compared the cursor behind everything with an earlier end", "reached", "not reached");
}

void waits_for_the_other(StorageUnderTest& under_test) {
  need_lanes(under_test, 2);
  auto first = open_lane(under_test, 0);
  auto second = open_lane(under_test, 1);
  const Append keyed = with_key(append_to("order-1", 1), "key");
  Append copy = keyed;
  const StagedGroup group = stage(*first, {keyed});
  StageResult other;
  on_threads(2, [&](std::uint32_t i) {
    if (i == 0) {
      other = store_with_retries(*second, copy);
    } else {
      commit(*first);
    }
  });
  expect_equal("repeated an append that was being written", StageOutcome::duplicate, other.outcome);
  expect(other.token == group.token, "its answer", "the first transaction", "another");
  expect_equal("read the stream", Version{1}, head_of(under_test.storage(), "order-1"));
}

void contended_rolls_back(StorageUnderTest& under_test) {
  need_lanes(under_test, 2);
  auto first = open_lane(under_test, 0);
  auto second = open_lane(under_test, 1);
  stage(*first, {append_to("order-1")});
  const std::vector<Append> appends{append_to("order-2"), append_to("order-1")};
  const auto blocked = second->stage(appends);
  if (blocked.ok()) {
    // A storage may refuse the version at once instead of waiting.
    expect_equal("staged a version that is being written", StageOutcome::lost_race,
                 blocked->results[1].outcome);
    second->rollback();
  } else {
    expect_code("staged a version that is being written", StatusCode::contended, blocked.status());
  }
  commit(*first);
  expect_equal("read the neighbour's stream", Version{0}, head_of(under_test.storage(), "order-2"));
  const StagedGroup again = stage(*second, appends);
  expect_equal("staged again", Version{2}, again.results[1].ranges.front().first);
  commit(*second);
}

/// Another session's write makes the head that this one remembers stale.
void stale_cache_is_noticed(StorageUnderTest& under_test) {
  need_lanes(under_test, 2);
  auto mine = open_lane(under_test, 0);
  auto other = open_lane(under_test, 1);
  store(*mine, append_to("order-1", 2));
  store(*other, append_to("order-1", 3));
  Append any = append_to("order-1", 2);
  any.writes[0].known_head = Version{2};
  Append exact = append_to("order-1", 1, ExpectedVersion::exact({2}));
  exact.writes[0].known_head = Version{2};
  for (const Append& append : {any, exact}) {
    expect_equal("appended behind a head that another session moved", StageOutcome::lost_race,
                 stage_one(*mine, append).outcome);
    mine->rollback();
  }
  Append corrected = exact;
  corrected.writes[0].known_head.reset();
  const StageResult refused = store(*mine, corrected, StageOutcome::wrong_version);
  expect_equal("asked for the old head again, actual", Version{5}, refused.actual);
  any.writes[0].known_head.reset();
  const StageResult again = store(*mine, any);
  expect_equal("appended again without the old head", Version{6}, again.ranges.front().first);
}

/// The guard lets in a part of an append of several streams: the rest of it goes, with whatever
/// stood on it, and nobody else's.
void partial_append_takes_its_followers(StorageUnderTest& under_test) {
  need_lanes(under_test, 2);
  Storage& storage = under_test.storage();
  auto mine = open_lane(under_test, 0);
  auto other = open_lane(under_test, 1);
  store(*other, append_to("hot-1", 1));
  const auto knowing = [](Append append, std::uint64_t head) {
    for (Write& write : append.writes) write.known_head = Version{head};
    return append;
  };
  const std::vector<Append> appends{
      knowing(append_to("calm-1", 2), 0),
      knowing(append_of({write_to("a-1", 3), write_to("hot-1", 2), write_to("z-1", 3)}), 0),
      knowing(append_to("a-1", 1), 0),
      append_of({write_to("a-1"), write_to("b-1")}),
      knowing(append_to("calm-2", 1), 0),
  };
  const StagedGroup group = stage(*mine, appends);
  const std::vector<StageOutcome> expected{StageOutcome::staged, StageOutcome::lost_race,
                                           StageOutcome::lost_race, StageOutcome::lost_race,
                                           StageOutcome::staged};
  for (std::size_t i = 0; i < expected.size(); ++i) {
    // A follower that is not out must have been given versions that do not count the lost ones.
    const bool stands = (i == 2 || i == 3) && group.results[i].outcome == StageOutcome::staged;
    if (stands) continue;
    expect_equal("staged append " + std::to_string(i) + " beside a partial one", expected[i],
                 group.results[i].outcome);
  }
  commit(*mine);
  std::uint64_t events = 1;
  for (std::size_t i = 0; i < appends.size(); ++i) {
    if (group.results[i].outcome == StageOutcome::staged) events += ids_of(appends[i]).size();
  }
  expect_equal("read a stream of the lost append", Version{0}, head_of(storage, "z-1"));
  expect_equal("read the raced stream", Version{1}, head_of(storage, "hot-1"));
  expect_equal("read a neighbour", Version{2}, head_of(storage, "calm-1"));
  std::map<std::string, std::uint64_t> last;
  std::uint64_t found = 0;
  for (const Event& event : read_feed(storage, {{}, {}, {}, 3}).events) {
    ++found;
    expect_equal("read the feed, next version of a stream", ++last[event.stream.str()],
                 event.version.value);
  }
  expect_equal("read the feed, events", events, found);
  const Ready waiting = ready(storage);
  found = 0;
  for (std::size_t i = 0; i < waiting.deliveries.size(); ++i) {
    expect(!waiting.events[i].empty(), "read the ledger", "no delivery without events",
           describe(waiting.deliveries[i].id) + ", which has none");
    expect_equal("read the ledger, events of a delivery", std::size_t{waiting.deliveries[i].events},
                 waiting.events[i].size());
    found += waiting.events[i].size();
  }
  expect_equal("read the ledger, events", events, found);
}

/// Two appends that each demand that the other's stream is not there: in whichever order they are
/// thought to have happened, one demand was not met (write skew).
void demands_hold_until_the_commit(StorageUnderTest& under_test) {
  need_lanes(under_test, 2);
  constexpr int kRounds = 40;
  auto lanes = open_lanes(under_test, 2);
  std::atomic<int> arrived{0};
  std::vector<std::atomic<int>> winners(kRounds);
  on_threads(2, [&](std::uint32_t i) {
    struct Gone {  // nobody waits for who failed
      std::atomic<int>& arrived;
      ~Gone() { arrived += 2 * kRounds; }
    } const gone{arrived};
    for (int round = 0; round < kRounds; ++round) {
      const std::string left = "left-" + std::to_string(round);
      const std::string right = "right-" + std::to_string(round);
      Append append = append_to(i == 0 ? left : right);
      append.preconditions = {{name(i == 0 ? right : left), ExpectedVersion::none()}};
      ++arrived;
      while (arrived.load() < 2 * (round + 1)) std::this_thread::yield();
      const StageResult result = store_with_retries(*lanes[i], append);
      if (result.outcome == StageOutcome::staged) {
        ++winners[round];
      } else {
        expect_equal("demanded that the other is not there", StageOutcome::wrong_version,
                     result.outcome);
      }
    }
  });
  for (const std::atomic<int>& of_round : winners) {
    expect_equal("two appends that exclude each other, stored", 1, of_round.load());
  }
}

/// One stream, written by two sessions in turns: its events lie in two logs.
void feed_order_across_lanes(StorageUnderTest& under_test) {
  need_lanes(under_test, 2);
  constexpr std::uint64_t kEvents = 40;
  Storage& storage = under_test.storage();
  auto first = open_lane(under_test, 0);
  auto second = open_lane(under_test, 1);
  // Turns of different lengths, with other streams between.
  for (std::uint64_t version = 0; version < kEvents;) {
    Lane& lane = (version / 3) % 2 == 0 ? *first : *second;
    const std::uint64_t count = std::min<std::uint64_t>(1 + version % 4, kEvents - version);
    store(lane,
          append_of({write_to("shared-1", count), write_to("aside-" + std::to_string(version))}));
    version += count;
  }
  const std::size_t all = read_feed(storage, {{}, {}, {}, 1'000}).events.size();
  for (std::uint32_t limit = 1; limit <= all + 1; ++limit) {
    std::uint64_t last = 0;
    std::set<EventId> seen;
    for (const Event& event : read_feed(storage, {{}, {}, {}, limit}).events) {
      expect(seen.insert(event.id).second, "read the feed in pages of " + std::to_string(limit),
             "each event once", described(event) + " twice");
      if (event.stream != name("shared-1")) continue;
      expect_equal("next version in pages of " + std::to_string(limit), ++last,
                   event.version.value);
    }
    expect_equal("events in pages of " + std::to_string(limit), all, seen.size());
    std::uint64_t filtered = 0;
    for (const Event& event : read_feed(storage, {{}, {}, {"", "", "shared-1"}, limit}).events) {
      expect_equal("next version, filtered, in pages of " + std::to_string(limit), ++filtered,
                   event.version.value);
    }
    expect_equal("events, filtered", kEvents, filtered);
  }
}

/// A lane that is opened while a reader reads is not overlooked.
void new_lane_is_read(StorageUnderTest& under_test) {
  need_lanes(under_test, 2);
  Storage& storage = under_test.storage();
  auto first = open_lane(under_test, 0);
  store(*first, append_to("order-1"));
  const Cursor cursor = read_feed(storage, {{}, {}, {}, 10}).next;
  auto second = open_lane(under_test, 1);
  store(*second, append_to("order-1"));
  store(*first, append_to("order-1"));
  const Page rest = read_feed(storage, {cursor, {}, {}, 1});
  expect_equal("read on after a new lane wrote", std::vector<std::uint64_t>{2, 3},
               versions_of(rest.events));
}

constexpr StorageCase kCases[] = {
    {"storage.race.one_winner_per_version", "Of 32 sessions that race for a version one wins.",
     one_winner_per_version},
    {"storage.race.hot_stream_stays_dense",
     "32 sessions on two hot streams leave dense versions, in ledger and feed order.",
     hot_stream_stays_dense},
    {"storage.race.feed_under_writers", "A reader beside writers sees each event once, in order.",
     feed_under_writers},
    {"storage.race.key_in_flight_is_waited_for",
     "An append that another session is writing is answered as its duplicate.",
     waits_for_the_other},
    {"storage.race.contended_rolls_back", "A lock time-out leaves nothing and may be repeated.",
     contended_rolls_back},
    {"storage.feed.late_commit_is_not_skipped",
     "A reader never passes over an event that commits late.", late_commit_is_not_skipped},
    {"storage.race.stale_cache_is_noticed",
     "A head that another session moved is a lost race, and never a refusal.",
     stale_cache_is_noticed},
    {"storage.race.partial_append_takes_its_followers",
     "An append of which only a part fits leaves nothing, nor does what stands on it.",
     partial_append_takes_its_followers},
    {"storage.race.demands_hold_until_the_commit",
     "What an append demands of a stream that it does not write holds until it is committed.",
     demands_hold_until_the_commit},
    {"storage.feed.order_across_lanes",
     "A stream that two sessions wrote is read in version order at any page size.",
     feed_order_across_lanes},
    {"storage.feed.new_lane_is_read", "What a lane opened later wrote is read from old cursors.",
     new_lane_is_read},
};

}  // namespace

std::span<const StorageCase> race_cases() {
  return kCases;
}

}  // namespace vouch::conformance
