// GuardedStorage over a storage that breaks its contract in every call.
#include "plugins/guarded_storage.h"

#include <catch2/catch.hpp>

#include "fixtures/throwing_storage.h"
#include "vouch/testkit/memory_storage.h"
#include "vouch/testkit/test_services.h"

namespace vouch::plugins {
namespace {

using fixtures::ThrowingStorage;

void destroy_throwing(Plugin* plugin) {
  delete static_cast<ThrowingStorage*>(plugin);
}

class Events final : public EventSink {
 public:
  bool event(const EventView&) override { return true; }
};
class Deliveries final : public DeliverySink {
 public:
  bool delivery(const Delivery&) override { return true; }
  void event(const EventView&) override {}
};
class Feed final : public FeedSink {
 public:
  bool event(const EventView&, std::string_view) override { return true; }
};
class Streams final : public StreamSink {
 public:
  bool stream(std::string_view, Version) override { return true; }
};

struct Guarded {
  testkit::TestServices services;
  CallWatch watch{{std::chrono::hours(1), {}}, services};
  ThrowingStorage* const plugin = new ThrowingStorage();
  GuardedStorage storage{plugin, destroy_throwing, "storage-x", services, &watch};

  [[nodiscard]] double violations() const {
    return services.metric("vouch_plugin_contract_violations_total");
  }
};

std::string threw(const std::string& call) {
  return "internal: plugin storage-x misbehaves: " + call + " threw: thrown on purpose";
}

}  // namespace

TEST_CASE("every call of a storage that throws gives a status in words, is watched and counted") {
  Guarded guarded;
  std::vector<std::string> watched;
  fixtures::on_fail = [&] {
    for (const RunningCall& call : guarded.watch.running_for(std::chrono::milliseconds(0))) {
      watched.push_back(call.call);
    }
  };
  GuardedStorage& storage = guarded.storage;
  Events events;
  Deliveries deliveries;
  Feed feed;
  Streams streams;
  const StreamName stream = StreamName::unchecked("a-1");
  const Token token;
  void* const found = storage.query(SnapshotStore::kInterface);
  REQUIRE(found != nullptr);
  auto& snapshots = *static_cast<SnapshotStore*>(found);
  void* const found_letters = storage.query(DeadLetterStore::kInterface);
  REQUIRE(found_letters != nullptr);
  auto& letters = *static_cast<DeadLetterStore*>(found_letters);
  void* const found_hosts = storage.query(HostRegistry::kInterface);
  REQUIRE(found_hosts != nullptr);
  auto& hosts = *static_cast<HostRegistry*>(found_hosts);
  void* const found_erasures = storage.query(ErasureStore::kInterface);
  REQUIRE(found_erasures != nullptr);
  auto& erasures = *static_cast<ErasureStore*>(found_erasures);
  Ledger& ledger = storage.ledger();
  Reader& reader = storage.reader();

  const std::vector<std::pair<std::string, Status>> calls = {
      {"open", storage.open()},
      {"check", storage.check()},
      {"migrate", storage.migrate({"s", 1})},
      {"lane", storage.lane(LaneNumber{7}, std::chrono::milliseconds(1)).status()},
      {"resolve", storage.resolve({}).status()},
      {"fence", storage.fence(token)},
      {"ready", ledger.ready({}, {}, 1, deliveries)},
      {"complete", ledger.complete({})},
      {"delivered", ledger.delivered({}).status()},
      {"backlog", ledger.backlog().status()},
      {"purge", ledger.purge(std::chrono::seconds(1), 1).status()},
      {"claim", ledger.claim(Partition{1}).status()},
      {"read_stream", reader.stream(stream, Version{1}, Direction::forward, 1, events)},
      {"heads", reader.heads({}).status()},
      {"read_event", reader.event(EventId{}, events)},
      {"feed", reader.feed({}, feed).status()},
      {"reached", reader.reached({}, {}).status()},
      {"feed_end", reader.feed_end().status()},
      {"streams", reader.streams("", "", 1, streams)},
      {"snapshot_save", snapshots.save({})},
      {"snapshot_newest", snapshots.newest(stream).status()},
      {"snapshot_remove", snapshots.remove(stream)},
      {"snapshot_prune", snapshots.prune({}).status()},
      {"dead_letters_put", letters.put({})},
      {"dead_letters_list", letters.list({}, {}, 1).status()},
      {"dead_letters_find", letters.find({}).status()},
      {"dead_letters_replace", letters.replace({}, {}).status()},
      {"dead_letters_remove", letters.remove({}).status()},
      {"hosts_announce", hosts.announce({}, std::chrono::milliseconds(1))},
      {"hosts_list", hosts.list().status()},
      {"hosts_leave", hosts.leave("")},
      {"erase", erasures.erase({}).status()},
      {"erasures_recorded", erasures.recorded(stream).status()},
  };
  fixtures::on_fail = nullptr;
  REQUIRE(watched.size() == calls.size());
  for (std::size_t i = 0; i < calls.size(); ++i) {
    CHECK(calls[i].second.to_string() == threw(calls[i].first));
    CHECK(watched[i] == calls[i].first);
  }
  CHECK(guarded.violations() == static_cast<double>(calls.size()));

  storage.close();
  CHECK_FALSE(storage.health().ok);
  CHECK(storage.health().detail == "plugin storage-x misbehaves: health threw: thrown on purpose");
  CHECK(storage.capabilities().max_lanes == 1);
  CHECK_FALSE(storage.capabilities().several_hosts);
  CHECK(storage.guarantees() ==
        "unknown: plugin storage-x misbehaves: guarantees threw: thrown on purpose");
  CHECK(storage.query("other/1") == nullptr);
  CHECK(guarded.violations() == static_cast<double>(calls.size()) + 7);

  const auto lines = guarded.services.log_lines();
  REQUIRE(lines.size() == calls.size() + 7);
  CHECK(lines.front() ==
        "error: plugin misbehaving: open threw: thrown on purpose plugin=storage-x call=open");
}

TEST_CASE("a lane that throws leaves no transaction open and no false answer") {
  Guarded guarded;
  auto lane = guarded.storage.lane(LaneNumber{0}, std::chrono::milliseconds(1));
  REQUIRE(lane.ok());
  CHECK((*lane)->number() == LaneNumber{0});
  CHECK((*lane)->stage({}).status().to_string() == threw("stage"));
  CHECK(guarded.plugin->rollbacks == 1);  // an error of `stage` means that no transaction is open
  const CommitResult result = (*lane)->commit();
  CHECK(result.outcome == CommitOutcome::unknown);
  CHECK(result.reason.to_string() == threw("commit"));
  (*lane)->rollback();
  CHECK(guarded.plugin->rollbacks == 2);
  CHECK(guarded.violations() == 4);
}

TEST_CASE("a claim that throws is not held, and a lane that is not there is an error") {
  Guarded guarded;
  auto claim = guarded.storage.ledger().claim(Partition{0});
  REQUIRE(claim.ok());
  CHECK((*claim)->partition() == Partition{0});
  CHECK_FALSE((*claim)->held());
  CHECK(guarded.services.log_lines().back() ==
        "error: plugin misbehaving: held threw something that is no std::exception "
        "plugin=storage-x call=held");
  CHECK(guarded.storage.lane(LaneNumber{1}, std::chrono::milliseconds(1)).status().to_string() ==
        "internal: plugin storage-x misbehaves: lane gave no lane");
}

TEST_CASE("an unknown interface is no violation") {
  Guarded guarded;
  CHECK(guarded.storage.query("unknown/1") == nullptr);
  CHECK(guarded.violations() == 0);
}

TEST_CASE("calls of a storage that keeps its contract pass through and are measured") {
  testkit::TestServices services;
  testkit::Faults faults;
  testkit::MemoryDatabase database;
  auto* const memory = new testkit::MemoryStorage(database, faults);
  GuardedStorage storage(
      memory, [](Plugin* plugin) { delete static_cast<testkit::MemoryStorage*>(plugin); },
      "storage-memory", services);
  REQUIRE(storage.open().ok());
  REQUIRE(storage.migrate({"s", 4}).ok());
  auto lane = storage.lane(LaneNumber{0}, std::chrono::seconds(1));
  REQUIRE(lane.ok());
  Append append;
  append.writes.emplace_back();
  Write& write = append.writes.back();
  write.stream = StreamName::unchecked("a-1");
  write.partition = partition_of("a-1", 4);
  write.events.emplace_back();
  write.events.back().type = "made";
  const auto staged = (*lane)->stage({&append, 1});
  REQUIRE(staged.ok());
  REQUIRE((*lane)->commit().outcome == CommitOutcome::committed);
  const StreamName streams[] = {write.stream, StreamName::unchecked("b-1")};
  const auto heads = storage.reader().heads(streams);
  REQUIRE(heads.ok());
  CHECK(*heads == std::vector<Version>{Version{1}, Version{0}});
  const auto verdicts = storage.resolve({&staged->token, 1});
  REQUIRE(verdicts.ok());
  CHECK(*verdicts == std::vector<Verdict>{Verdict::committed});
  CHECK(services.metric("vouch_storage_operation_duration_seconds") == 7);
  CHECK(services.metric("vouch_plugin_contract_violations_total") == 0);
  lane->reset();
  storage.close();
}

}  // namespace vouch::plugins
