// Replay: what was committed is published again, in order, marked, and never before the saga has
// published it for the first time.
#include <algorithm>
#include <catch2/catch.hpp>
#include <functional>
#include <set>
#include <thread>

#include "host_under_test.h"

namespace vouch::tests {
namespace {

using append::AppendCode;
using replay::ReplayProgress;
using replay::ReplayRequest;
using replay::ReplayState;
using std::chrono::steady_clock;
using testkit::Fault;
using testkit::Step;

constexpr std::chrono::seconds kPatience{10};

bool eventually(const std::function<bool()>& condition) {
  const auto deadline = steady_clock::now() + kPatience;
  while (!condition()) {
    if (steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

void append_to(Host& host, const std::string& stream, std::size_t events = 1, Timestamp time = {}) {
  Append append = make_append(stream, events);
  for (NewEvent& event : append.writes[0].events) event.time = time;
  REQUIRE(host.appends().append(std::move(append)).code == AppendCode::committed);
}

std::vector<std::uint64_t> versions(const testkit::MemoryExchange& exchange,
                                    const std::string& stream, std::size_t skip = 0) {
  std::vector<std::uint64_t> all;
  const std::vector<Published> everything = published(exchange);
  for (std::size_t i = skip; i < everything.size(); ++i) {
    if (everything[i].stream == stream) all.push_back(everything[i].version);
  }
  return all;
}

std::vector<std::uint64_t> from_to(std::uint64_t first, std::uint64_t last) {
  std::vector<std::uint64_t> all;
  for (std::uint64_t version = first; version <= last; ++version) all.push_back(version);
  return all;
}

std::unique_ptr<replay::Replay> begin(Host& host, const ReplayRequest& request) {
  auto replay = host.replays().begin(request);
  INFO(replay.status().to_string());
  REQUIRE(replay.ok());
  return *std::move(replay);
}

ReplayProgress work(replay::Replay& replay, std::chrono::milliseconds time = kPatience) {
  const std::atomic<bool> never{false};
  return replay.work(steady_clock::now() + time, never);
}

ReplayProgress run(Host& host, const ReplayRequest& request) {
  const auto replay = begin(host, request);
  const ReplayProgress progress = work(*replay);
  INFO(progress.problem);
  CHECK(progress.state == ReplayState::done);
  return progress;
}

/// Streams account-1 and account-2 with five events each, of the times 1 to 5, order-1 with three
/// of the time 100, all delivered.
void fill(World& world, Host& host) {
  for (int i = 1; i <= 5; ++i) {
    append_to(host, "account-1", 1, Timestamp{i});
    append_to(host, "account-2", 1, Timestamp{i});
  }
  append_to(host, "order-1", 3, Timestamp{100});
  REQUIRE(world.exchange.wait_outbound(13));
  REQUIRE(eventually([&] { return world.database.undelivered().empty(); }));
}

TEST_CASE(
    "history goes out again, in the order of each stream, and says that it was there before") {
  World world;
  Host host(world);
  fill(world, host);
  const ReplayProgress progress = run(host, {});
  CHECK(progress.events == 13);
  CHECK(progress.published == 13);
  CHECK(progress.refused == 0);
  CHECK(progress.held_back == 0);
  REQUIRE(world.exchange.outbound().size() == 26);
  CHECK(versions(world.exchange, "account-1", 13) == from_to(1, 5));
  CHECK(versions(world.exchange, "account-2", 13) == from_to(1, 5));
  CHECK(versions(world.exchange, "order-1", 13) == from_to(1, 3));
  const auto messages = world.exchange.outbound();
  for (std::size_t i = 0; i < messages.size(); ++i) {
    const bool marked = messages[i].payload.find(R"("redelivered":"true")") != std::string::npos;
    CHECK(marked == (i >= 13));
  }
}

TEST_CASE("in binary mode the mark is a header") {
  World world;
  HostSettings settings;
  settings.binary = true;
  Host host(world, settings);
  append_to(host, "account-1");
  REQUIRE(world.exchange.wait_outbound(1));
  run(host, {});
  const auto messages = world.exchange.outbound();
  REQUIRE(messages.size() == 2);
  const auto marked = [](const testkit::TakenMessage& message) {
    return std::ranges::any_of(message.headers, [](const auto& header) {
      return header.first == "redelivered" && header.second == "true";
    });
  };
  CHECK_FALSE(marked(messages[0]));
  CHECK(marked(messages[1]));
}

TEST_CASE("only what is asked for goes out") {
  World world;
  HostSettings settings;
  settings.edge = true;
  Host host(world, settings);
  fill(world, host);
  REQUIRE(world.edge.wait_outbound(13));
  ReplayRequest request;
  std::size_t main_count = 0;
  std::size_t edge_count = 0;
  SECTION("a category") {
    request.category = "order";
    main_count = edge_count = 3;
  }
  SECTION("a type that there is none of") {
    request.type = "closed";
  }
  SECTION("a stream") {
    request.stream = StreamName::unchecked("account-2");
    main_count = edge_count = 5;
  }
  SECTION("a stream from a version on") {
    request.stream = StreamName::unchecked("account-2");
    request.from = Version{4};
    main_count = edge_count = 2;
  }
  SECTION("a stream from behind its head on") {
    request.stream = StreamName::unchecked("account-2");
    request.from = Version{6};
  }
  SECTION("a stream that does not exist") {
    request.stream = StreamName::unchecked("nobody-1");
  }
  SECTION("a route") {
    request.route = "edge";
    edge_count = 13;
  }
  SECTION("what came before a time") {
    request.before = Timestamp{3};
    main_count = edge_count = 4;
  }
  SECTION("what came since a time") {
    request.since = Timestamp{4};
    main_count = edge_count = 7;
  }
  SECTION("a stream in a window of time") {
    request.stream = StreamName::unchecked("account-2");
    request.since = Timestamp{2};
    request.before = Timestamp{4};
    main_count = edge_count = 2;
  }
  const ReplayProgress progress = run(host, request);
  CHECK(progress.published == main_count + edge_count);
  CHECK(world.exchange.outbound().size() == 13 + main_count);
  CHECK(world.edge.outbound().size() == 13 + edge_count);
}

TEST_CASE("it counts without publishing when that is asked for") {
  World world;
  HostSettings settings;
  settings.edge = true;
  settings.edge_types = {"closed"};
  Host host(world, settings);
  fill(world, host);
  ReplayRequest request;
  request.dry_run = true;
  const ReplayProgress progress = run(host, request);
  CHECK(progress.events == 13);
  CHECK(progress.published == 13);
  CHECK(world.exchange.outbound().size() == 13);
}

TEST_CASE("it ends at what was committed when it began") {
  World world;
  Host host(world);
  fill(world, host);
  const auto replay = begin(host, {});
  append_to(host, "account-1", 4);
  REQUIRE(world.exchange.wait_outbound(17));
  CHECK(work(*replay).events == 13);
  CHECK(world.exchange.outbound().size() == 17 + 13);
}

TEST_CASE("a stream's replay ends at the head that it had when it began") {
  World world;
  Host host(world);
  fill(world, host);
  ReplayRequest request;
  request.stream = StreamName::unchecked("account-1");
  const auto replay = begin(host, request);
  append_to(host, "account-1", 4);
  REQUIRE(world.exchange.wait_outbound(17));
  const ReplayProgress progress = work(*replay);
  CHECK(progress.events == 5);
  CHECK(progress.from == Version{6});
}

TEST_CASE("nothing is published for the first time by a replay") {
  World world;
  Host host(world);
  world.faults.decide(
      [](Step step) { return step == Step::publish_outbound ? Fault::fail : Fault::none; });
  for (int i = 0; i < 6; ++i) append_to(host, "account-1");
  const auto replay = begin(host, {});
  const ReplayProgress waiting = work(*replay, std::chrono::milliseconds(300));
  CHECK(waiting.state == ReplayState::waiting);
  CHECK(waiting.published == 0);
  CHECK(world.exchange.outbound().empty());
  world.faults.clear();
  CHECK(work(*replay).state == ReplayState::done);
  // Those of the saga, and then those of the replay.
  const auto messages = world.exchange.outbound();
  REQUIRE(messages.size() >= 12);
  std::size_t first_marked = messages.size();
  for (std::size_t i = 0; i < messages.size(); ++i) {
    if (messages[i].payload.find("redelivered") != std::string::npos) {
      first_marked = std::min(first_marked, i);
    }
  }
  CHECK(versions(world.exchange, "account-1", first_marked) == from_to(1, 6));
  const std::vector<std::uint64_t> all = versions(world.exchange, "account-1");
  const std::set<std::uint64_t> before(all.begin(),
                                       all.begin() + static_cast<std::ptrdiff_t>(first_marked));
  CHECK(before.size() == 6);
}

TEST_CASE("events that a broker fails are repeated until they are through, in order") {
  World world;
  Host host(world);
  fill(world, host);
  // Of a page with 13 events some are taken, and what fails fails those of its stream behind it.
  world.faults.arm(Step::publish_outbound, Fault::fail, 2, 3);
  const ReplayProgress progress = run(host, {});
  CHECK(progress.published == 13);
  CHECK(progress.problem.empty());
  for (const char* stream : {"account-1", "account-2"}) {
    CHECK(versions(world.exchange, stream, 13) == from_to(1, 5));
  }
  CHECK(versions(world.exchange, "order-1", 13) == from_to(1, 3));
}

TEST_CASE("a broker that is down is said in words, and the replay goes on when it is back") {
  World world;
  Host host(world);
  fill(world, host);
  world.faults.decide(
      [](Step step) { return step == Step::publish_outbound ? Fault::fail : Fault::none; });
  const auto replay = begin(host, {});
  const ReplayProgress stuck = work(*replay, std::chrono::milliseconds(300));
  CHECK(stuck.state == ReplayState::running);
  CHECK(stuck.problem.find("events.account") != std::string::npos);
  world.faults.clear();
  const ReplayProgress done = work(*replay);
  CHECK(done.state == ReplayState::done);
  CHECK(done.problem.empty());
  CHECK(done.published == 13);
}

TEST_CASE("a refusal for good is counted, and the rest goes on") {
  World world;
  Host host(world);
  fill(world, host);
  world.faults.arm(Step::publish_outbound, Fault::reject, 1, 4);
  const ReplayProgress progress = run(host, {});
  CHECK(progress.refused == 1);
  CHECK(progress.published == 12);
  CHECK(host.saga().dead_letters({}, 10)->empty());
}

TEST_CASE("what waits behind a dead letter is left out on that route alone") {
  World world;
  HostSettings settings;
  settings.edge = true;
  Host host(world, settings);
  append_to(host, "account-1", 2);
  REQUIRE(world.exchange.wait_outbound(2));
  REQUIRE(world.edge.wait_outbound(2));
  world.faults.arm(Step::publish_outbound, Fault::reject);
  append_to(host, "account-1", 3);
  REQUIRE(world.edge.wait_outbound(5));
  REQUIRE(eventually([&] { return world.database.undelivered().empty(); }));
  const ReplayProgress progress = run(host, {});
  CHECK(progress.held_back == 3);
  CHECK(progress.published == 2 + 5);
  CHECK(versions(world.exchange, "account-1") == std::vector<std::uint64_t>{1, 2, 1, 2});
}

TEST_CASE("a replay that was broken off goes on where it was") {
  World world;
  Host host(world);
  constexpr std::uint64_t kEvents = 40;
  for (std::uint64_t i = 0; i < kEvents; ++i) append_to(host, "account-1");
  REQUIRE(world.exchange.wait_outbound(kEvents));
  REQUIRE(eventually([&] { return world.database.undelivered().empty(); }));
  ReplayRequest request;
  request.rate = 50;  // pages of five
  ReplayProgress progress;
  {
    const auto replay = begin(host, request);
    request.until = replay->until();
    progress = work(*replay, std::chrono::milliseconds(300));
  }
  CHECK(progress.state == ReplayState::running);
  CHECK(progress.published > 0);
  CHECK(progress.published < kEvents);
  request.after = progress.after;
  request.rate = 0;
  append_to(host, "account-1");  // behind `until`
  REQUIRE(world.exchange.wait_outbound(kEvents + progress.published + 1));
  const ReplayProgress rest = run(host, request);
  CHECK(progress.events + rest.events == kEvents);
  std::vector<std::uint64_t> seen = versions(world.exchange, "account-1", kEvents);
  std::erase(seen, kEvents + 1);
  CHECK(seen == from_to(1, kEvents));
}

TEST_CASE("a bounded rate is kept") {
  World world;
  Host host(world);
  constexpr std::uint64_t kEvents = 60;
  append_to(host, "account-1", kEvents);
  REQUIRE(world.exchange.wait_outbound(kEvents));
  REQUIRE(eventually([&] { return world.database.undelivered().empty(); }));
  ReplayRequest request;
  request.rate = 100;
  const auto begun = steady_clock::now();
  CHECK(run(host, request).published == kEvents);
  // Less the piece that goes at once, and the one that may be made up for.
  CHECK(steady_clock::now() - begun > std::chrono::milliseconds(350));
}

TEST_CASE("there is one replay at a time, and wrong wishes are refused in words") {
  World world;
  Host host(world);
  fill(world, host);
  {
    const auto replay = begin(host, {});
    CHECK(host.replays().begin({}).status().code() == StatusCode::already_exists);
  }
  ReplayRequest request;
  request.route = "nowhere";
  const Status unknown = host.replays().begin(request).status();
  CHECK(unknown.code() == StatusCode::not_found);
  CHECK(unknown.message() == "there is no route \"nowhere\"; there are: main");
  request = {};
  request.after = Cursor{"not a cursor of this store"};
  CHECK(host.replays().begin(request).status().code() == StatusCode::invalid_argument);
  // None of them is in the way of the next.
  run(host, {});
}

TEST_CASE("whoever gives up is obeyed at once") {
  World world;
  Host host(world);
  fill(world, host);
  const auto replay = begin(host, {});
  const std::atomic<bool> yes{true};
  const auto begun = steady_clock::now();
  const ReplayProgress progress = replay->work(steady_clock::now() + kPatience, yes);
  CHECK(progress.state == ReplayState::waiting);
  CHECK(steady_clock::now() - begun < std::chrono::seconds(2));
  CHECK(world.exchange.outbound().size() == 13);
}

}  // namespace
}  // namespace vouch::tests
