// Erasing events over HTTP: what is asked for, refused, done, recorded and told.
#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "format/json_text.h"
#include "format/text_codec.h"
#include "server_under_test.h"

namespace vouch::tests {
namespace {

using testkit::Fault;
using testkit::Step;

const FieldList kJsonBody = {{"Content-Type", "application/json"}};
constexpr const char* kConfirmed = R"({"confirm":true,"reason":"asked for: \u00fc"})";

Answer erase(const ServerUnderTest& server, const std::string& stream, const std::string& body) {
  return server.ask("POST", "/v1/streams/" + stream + ":erase", kJsonBody, body);
}

Answer erasures(const ServerUnderTest& server, const std::string& stream) {
  return server.ask("GET", "/v1/streams/" + stream + "/erasures");
}

Answer events(const ServerUnderTest& server, const std::string& stream) {
  return server.ask("GET", "/v1/streams/" + stream + "/events");
}

TEST_CASE("an erased stream reads as tombstones, in the feed and by id as well") {
  ServerUnderTest server;
  server.append("a-1", R"([{"type":"named","data":"Ada","metadata":{"by":"Ada"}},
                           {"type":"moved","data":"Ada"},{"type":"left","data":"Ada"}])");
  server.append("b-1", R"({"type":"named","data":"Bob"})");
  const Event before = server.world.database.events().at(1);
  const Answer answer = erase(server, "a-1", kConfirmed);
  INFO(answer.body);
  CHECK(answer.status == 200);
  CHECK(format::parse_json(answer.body).ok());
  const std::string time = answer.text("time");
  CHECK(format::time_from_text(time).has_value());
  CHECK(answer.body ==
        R"({"stream":"a-1","from":1,"to":3,"events":3,"snapshots":0,"time":")" + time + "\"}");

  const Answer read = events(server, "a-1");
  CHECK(read.field("ETag") == "\"3\"");
  CHECK_FALSE(read.has("Ada"));
  CHECK(count_of(read.body, R"("data":null,"metadata":{"erased":")" + time + "\"}") == 3);
  CHECK(read.has(R"("id":")" + before.id.to_string() +
                 R"(","stream":"a-1","version":2,"type":"moved",)"
                 R"("time":")" +
                 format::time_text(before.time) + '"'));
  const Answer feed = server.ask("GET", "/v1/events");
  CHECK_FALSE(feed.has("Ada"));
  CHECK(feed.has("Bob"));
  CHECK(count_of(feed.body, "\"cursor\":") == 4);
  CHECK_FALSE(server.ask("GET", "/v1/events/" + before.id.to_string()).has("Ada"));
  CHECK_FALSE(server.ask("GET", "/v1/streams/a-1/state").has("Ada"));

  const Answer records = erasures(server, "a-1");
  CHECK(records.body == R"({"stream":"a-1","erasures":[{"from":1,"to":3,"time":")" + time +
                            "\",\"reason\":\"asked for: \u00fc\",\"events\":3}]}");
  CHECK(erasures(server, "b-1").body == R"({"stream":"b-1","erasures":[]})");
  CHECK(server.host.services().metric("vouch_erased_events_total") == 3);
  // The reason may speak of a person: it is recorded, not logged.
  std::size_t lines = 0;
  for (const std::string& line : server.host.services().log_lines()) {
    if (line.find("events were erased") == std::string::npos) continue;
    ++lines;
    CHECK_THAT(line, Catch::Contains("stream=a-1 from=1 to=3 events=3 snapshots=0"));
    CHECK(line.find("asked for") == std::string::npos);
  }
  CHECK(lines == 1);
}

TEST_CASE("a range leaves what lies outside, and what is repeated changes nothing") {
  const ServerUnderTest server;
  server.fill("a-1", 9);
  const Answer first = erase(server, "a-1", R"({"confirm":true,"reason":"r","from":3,"to":5})");
  CHECK(first.has(R"("from":3,"to":5,"events":3,)"));
  const std::string read = events(server, "a-1").body;
  CHECK(count_of(read, "\"data\":null") == 3);
  for (const char* kept : {"1", "2", "6", "9"}) {
    CHECK(read.find(std::string("\"data\":") + kept + '}') != std::string::npos);
  }
  CHECK(erase(server, "a-1", R"({"confirm":true,"reason":"r","from":3,"to":5})")
            .has(R"("events":0,"snapshots":0,)"));
  CHECK(events(server, "a-1").body == read);
  CHECK(erase(server, "a-1", R"({"confirm":true,"reason":"r","from":8,"to":4000})")
            .has(R"("from":8,"to":9,"events":2,)"));
  CHECK(count_of(erasures(server, "a-1").body, "\"reason\"") == 2);
  // The stream goes on, and keeps its version.
  CHECK(server.append("a-1", R"({"type":"t","data":1})", {{"If-Match", "\"9\""}}).status == 201);
}

TEST_CASE("what is not confirmed is not done, and the answer says what it would do") {
  const ServerUnderTest server;
  server.fill("a-1", 9);
  const std::string before = events(server, "a-1").body;
  const std::pair<const char*, const char*> kRows[] = {
      {R"({"reason":"r"})", "of 9 events of the stream a-1 (versions 1 to 9)"},
      {R"({"confirm":false,"reason":"r","from":3})",
       "of 7 events of the stream a-1 (versions 3 to 9)"},
      {R"({"reason":"r","from":4,"to":4})", "of 1 event of the stream a-1 (versions 4 to 4)"},
      {R"({"reason":"r","to":2})", "it can't be undone"},
      {R"({"confirm":true,"reason":"r","from":10})", "from is version 10, the stream is at 9"},
  };
  for (const auto& [body, words] : kRows) {
    const Answer answer = erase(server, "a-1", body);
    INFO(body);
    check_problem(answer, 422, "unprocessable");
    CHECK_THAT(answer.body, Catch::Contains(words));
  }
  CHECK(events(server, "a-1").body == before);
  CHECK(erasures(server, "a-1").body == R"({"stream":"a-1","erasures":[]})");
}

TEST_CASE("what can't be understood is refused in words") {
  const ServerUnderTest server;
  server.fill("a-1", 2);
  const std::string long_reason(1'001, 'x');
  const std::pair<std::string, const char*> kRows[] = {
      {"", "not JSON"},
      {"[]", "must be an object"},
      {R"({"confirm":true})", "reason is missing"},
      {R"({"confirm":"yes","reason":"r"})", "confirm must be true or false"},
      {R"({"confirm":true,"reason":""})", "reason must be a text"},
      {R"({"confirm":true,"reason":7})", "reason must be a text"},
      {R"({"confirm":true,"reason":"a\u0000b"})", "without U+0000"},
      {R"({"confirm":true,"reason":")" + long_reason + "\"}", "1 to 1000 bytes"},
      {R"({"confirm":true,"reason":"r","from":0})", "from must be a whole number from 1"},
      {R"({"confirm":true,"reason":"r","to":1.5})", "to must be a whole number from 1"},
      {R"({"confirm":true,"reason":"r","to":99999999999999999999})", "to must be"},
      {R"({"confirm":true,"reason":"r","from":2,"to":1})", "to lies below from"},
      {R"({"confirm":true,"reason":"r","too":1})", "too is unknown"},
  };
  for (const auto& [body, words] : kRows) {
    INFO(body);
    const Answer answer = erase(server, "a-1", body);
    check_problem(answer, 400, "bad-request");
    CHECK_THAT(answer.body, Catch::Contains(words));
  }
  check_problem(erase(server, "a-2", kConfirmed), 404, "not-found");
  check_problem(erasures(server, "a-2"), 404, "not-found");
  check_problem(server.ask("GET", "/v1/streams/a-1:erase"), 405, "method-not-allowed");
  check_problem(server.ask("POST", "/v1/streams/a-1:erase", {{"Content-Type", "text/plain"}}, "x"),
                415, "unsupported-media-type");
  CHECK(erasures(server, "a-1").body == R"({"stream":"a-1","erasures":[]})");
}

TEST_CASE("a storage that can't erase says so") {
  const ServerUnderTest server({}, {}, true, false);
  server.fill("a-1", 2);
  check_problem(erase(server, "a-1", kConfirmed), 501, "not-implemented");
  check_problem(erasures(server, "a-1"), 501, "not-implemented");
  CHECK(count_of(events(server, "a-1").body, "\"data\":null") == 0);
}

TEST_CASE("an erasure whose answer was lost in the database is repeated safely") {
  ServerUnderTest server;
  server.fill("a-1", 4);
  server.world.faults.arm(Step::erase, Fault::fail);
  check_problem(erase(server, "a-1", kConfirmed), 503, "storage-unavailable");
  CHECK(count_of(events(server, "a-1").body, "\"data\":null") == 0);
  server.world.faults.arm(Step::erase, Fault::lose_and_fail);
  check_problem(erase(server, "a-1", kConfirmed), 503, "storage-unavailable");
  const std::string read = events(server, "a-1").body;
  CHECK(count_of(read, "\"data\":null") == 4);
  CHECK(erase(server, "a-1", kConfirmed).has(R"("events":0)"));
  CHECK(events(server, "a-1").body == read);
  CHECK(count_of(erasures(server, "a-1").body, "\"events\":4") == 1);
}

TEST_CASE("what is delivered or replayed after an erasure is the tombstone") {
  ServerUnderTest server;
  server.world.faults.arm(Step::publish_outbound, Fault::fail, 1'000'000);
  server.append("a-1", R"({"type":"named","data":"Ada","metadata":{"by":"Ada"}})");
  CHECK(erase(server, "a-1", kConfirmed).status == 200);
  // What the saga had in its hands was on its way; what it tries after that is read anew.
  testkit::Faults& faults = server.world.faults;
  faults.clear_record();
  REQUIRE(eventually([&] {
    const auto steps = faults.record();
    return std::ranges::count_if(steps, [](const std::string& step) {
             return step.starts_with("publish_outbound");
           }) >= 3;
  }));
  faults.clear();
  REQUIRE(eventually([&] { return server.world.database.undelivered().empty(); }));
  const auto out = [&] { return server.world.exchange.outbound(); };
  REQUIRE(out().size() == 1);
  const Answer replay =
      server.ask("POST", "/v1/delivery:replay", kJsonBody, R"({"after":"start"})");
  CHECK(replay.has(R"("kind":"done")"));
  CHECK(replay.has(R"("published":1)"));
  REQUIRE(out().size() == 2);
  for (const testkit::TakenMessage& message : out()) {
    INFO(message.payload);
    CHECK(message.payload.find("Ada") == std::string::npos);
    CHECK(message.payload.find(R"("data":null)") != std::string::npos);
    CHECK(message.payload.find(R"("erased":"20)") != std::string::npos);
    CHECK(message.payload.find(R"("type":"named")") != std::string::npos);
  }
}

/// Takes its time over the first round, as a busy database does.
class SlowSnapshots final : public SnapshotStore {
 public:
  Status save(std::span<const Snapshot> snapshots) override {
    std::unique_lock lock(mutex_);
    ++rounds;
    changed_.wait(lock, [&] { return open_; });
    for (const Snapshot& snapshot : snapshots) saved.push_back(snapshot.stream.str());
    return {};
  }
  Result<std::optional<Snapshot>> newest(const StreamName&) override {
    return std::optional<Snapshot>();
  }
  Status remove(const StreamName&) override { return {}; }
  Result<std::uint64_t> prune(Timestamp) override { return std::uint64_t{0}; }

  void open() {
    {
      const std::lock_guard lock(mutex_);
      open_ = true;
    }
    changed_.notify_all();
  }

  std::atomic<int> rounds{0};
  std::vector<std::string> saved;

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
};

TEST_CASE("a snapshot that waits to be saved is not saved behind an erasure") {
  SlowSnapshots snapshots;
  ServerUnderTest server({}, {}, true, true, &snapshots);
  server.fill("a-1", 3);
  server.fill("b-1", 3);
  const auto put = [&](const std::string& stream) {
    const Answer answer = server.ask("PUT", "/v1/streams/" + stream + "/snapshot", kJsonBody,
                                     R"({"version":2,"data":"Ada"})");
    REQUIRE(answer.status == 202);
  };
  put("b-1");
  REQUIRE(eventually([&] { return snapshots.rounds == 1; }));
  put("a-1");
  put("b-1");
  std::thread eraser([&] { CHECK(erase(server, "a-1", kConfirmed).status == 200); });
  // It waits for the round under way, since that might hold one of the stream.
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  CHECK(count_of(events(server, "a-1").body, "\"data\":null") == 0);
  snapshots.open();
  eraser.join();
  server.saver->flush();
  CHECK(snapshots.saved == std::vector<std::string>{"b-1", "b-1"});
  // What is offered afterwards is of the erased stream.
  put("a-1");
  server.saver->flush();
  CHECK(snapshots.saved.back() == "a-1");
}

}  // namespace
}  // namespace vouch::tests
