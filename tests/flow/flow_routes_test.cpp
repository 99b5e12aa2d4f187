// Several routes, each with a broker of its own: one that is down holds up nobody but itself, and
// what a broker refuses for good holds up its stream on that route alone.
#include <algorithm>
#include <catch2/catch.hpp>
#include <functional>
#include <thread>

#include "host_under_test.h"

namespace vouch::tests {
namespace {

using append::AppendCode;
using testkit::Fault;
using testkit::Step;

bool eventually(const std::function<bool()>& condition,
                std::chrono::milliseconds limit = std::chrono::seconds(10)) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

HostSettings two_routes() {
  HostSettings settings;
  settings.edge = true;
  return settings;
}

void append_to(Host& host, const std::string& stream, std::size_t events = 1) {
  REQUIRE(host.appends().append(make_append(stream, events)).code == AppendCode::committed);
}

std::vector<std::uint64_t> versions(const testkit::MemoryExchange& exchange,
                                    const std::string& stream) {
  std::vector<std::uint64_t> all;
  for (const Published& one : published(exchange)) {
    if (one.stream == stream) all.push_back(one.version);
  }
  return all;
}

std::vector<std::uint64_t> up_to(std::uint64_t last) {
  std::vector<std::uint64_t> all;
  for (std::uint64_t version = 1; version <= last; ++version) all.push_back(version);
  return all;
}

std::vector<DeadLetter> letters(Host& host) {
  const auto found = host.saga().dead_letters({}, 100);
  REQUIRE(found.ok());
  return *found;
}

void go_down(testkit::Faults& broker) {
  broker.decide(
      [](Step step) { return step == Step::publish_outbound ? Fault::fail : Fault::none; });
}

/// Refuses the next message of the outbound topics for good.
void refuse_next(World& world, std::uint32_t times = 1, std::uint32_t skip = 0) {
  world.faults.arm(Step::publish_outbound, Fault::reject, times, skip);
}

TEST_CASE("a route that is down holds back itself and the completion, and nothing else") {
  World world;
  HostSettings settings = two_routes();
  settings.max_round_events = 20;
  Host host(world, settings);
  go_down(world.edge_faults);
  constexpr std::size_t kAppends = 150;
  for (std::size_t i = 0; i < kAppends; ++i) {
    append_to(host, "account-" + std::to_string(i % 7), 2);
  }
  const bool all_out = world.exchange.wait_outbound(kAppends * 2);
  CAPTURE(world.exchange.outbound().size());
  REQUIRE(all_out);
  CHECK(world.edge.outbound().empty());
  CHECK(world.database.undelivered().size() == kAppends);
  std::this_thread::sleep_for(std::chrono::milliseconds(300));  // several sweeps
  CHECK(world.exchange.outbound().size() == kAppends * 2);      // nothing went out twice
  const auto reports = host.saga().route_reports();
  REQUIRE(reports.size() == 2);
  CHECK(reports[0].problem.empty());
  CHECK(reports[0].delivered == kAppends * 2);
  CHECK(reports[1].problem.find("edge/account-") == 0);
  CHECK(eventually([&] { return host.saga().route_reports()[1].oldest_waiting.has_value(); }));

  world.edge_faults.clear();
  CHECK(eventually([&] { return world.database.undelivered().empty(); }));
  for (int i = 0; i < 7; ++i) {
    const std::string stream = "account-" + std::to_string(i);
    const std::vector<std::uint64_t> there = versions(world.exchange, stream);
    CHECK(there == up_to(there.size()));
    CHECK(versions(world.edge, stream) == there);
  }
  CHECK(eventually([&] { return host.saga().route_reports()[1].problem.empty(); }));
}

/// Streams of different partitions.
std::vector<std::string> streams_apart(const World& world) {
  std::vector<std::string> streams;
  for (int i = 0; streams.size() < world.partitions; ++i) {
    const std::string name = "account-" + std::to_string(i);
    const bool taken = std::ranges::any_of(streams, [&](const std::string& other) {
      return partition_of(other, world.partitions) == partition_of(name, world.partitions);
    });
    if (!taken) streams.push_back(name);
  }
  return streams;
}

TEST_CASE("a route goes on although more than a round waits for another, in some partitions") {
  World world;
  HostSettings settings = two_routes();
  settings.edge_types = {"wanted"};
  settings.max_round_events = 10;
  // Sweeps look at all partitions together.
  settings.sweep_interval = std::chrono::milliseconds(5);
  Host host(world, settings);
  go_down(world.edge_faults);
  const std::vector<std::string> streams = streams_apart(world);
  const auto write = [&](const std::string& stream, const std::string& type) {
    Append append = make_append(stream);
    append.writes[0].events[0].type = type;
    REQUIRE(host.appends().append(append).code == AppendCode::committed);
  };
  std::size_t before = 0;
  SECTION("while of the others nothing waits") {}
  SECTION("while little waits in another, since before") {
    write(streams[1], "wanted");
    before = 1;
  }
  std::size_t appended = before;
  for (int i = 0; i < 100; ++i, ++appended) write(streams[0], "wanted");
  for (int i = 0; i < 20; ++i, ++appended) write(streams[2], "other");
  const bool all_out = world.exchange.wait_outbound(appended);
  CAPTURE(appended, world.exchange.outbound().size());
  REQUIRE(all_out);
  std::this_thread::sleep_for(std::chrono::milliseconds(50));  // several sweeps
  write(streams[0], "other");
  write(streams[3], "other");
  appended += 2;
  REQUIRE(world.exchange.wait_outbound(appended));
  CHECK(world.exchange.outbound().size() == appended);
  world.edge_faults.clear();
  CHECK(eventually([&] { return world.database.undelivered().empty(); }));
  CHECK(world.edge.outbound().size() == 100 + before);
}

TEST_CASE("the first route may be the one that is down; the other one does not wait for it") {
  World world;
  Host host(world, two_routes());
  go_down(world.faults);
  for (int i = 0; i < 20; ++i) append_to(host, "account-1");
  REQUIRE(world.edge.wait_outbound(20));
  CHECK(world.exchange.outbound().empty());
  world.faults.clear();
  CHECK(eventually([&] { return world.database.undelivered().empty(); }));
  CHECK(versions(world.exchange, "account-1") == up_to(20));
  CHECK(versions(world.edge, "account-1") == up_to(20));
}

TEST_CASE("ack=delivered waits for every route, and only for those that the event takes") {
  World world;
  HostSettings settings = two_routes();
  settings.edge_types = {"other"};
  Host host(world, settings);
  go_down(world.edge_faults);
  const auto answer = host.appends().append(make_append("account-1"));
  REQUIRE(answer.code == AppendCode::committed);
  CHECK(host.saga().wait_delivered(answer.deliveries,
                                   std::chrono::steady_clock::now() + std::chrono::seconds(5)));

  Append other = make_append("account-1");
  other.writes[0].events[0].type = "other";
  const auto waiting = host.appends().append(other);
  REQUIRE(waiting.code == AppendCode::committed);
  REQUIRE(world.exchange.wait_outbound(2));
  CHECK_FALSE(host.saga().wait_delivered(
      waiting.deliveries, std::chrono::steady_clock::now() + std::chrono::milliseconds(100)));
  world.edge_faults.clear();
  CHECK(host.saga().wait_delivered(waiting.deliveries,
                                   std::chrono::steady_clock::now() + std::chrono::seconds(5)));
  CHECK(world.edge.outbound().size() == 1);
}

TEST_CASE("a host that dies while a route is down: the next one gives it everything in order") {
  World world;
  {
    Host host(world, two_routes());
    go_down(world.edge_faults);
    for (int i = 0; i < 30; ++i) append_to(host, "account-1");
    REQUIRE(world.exchange.wait_outbound(30));
    host.kill();
  }
  world.edge_faults.clear();
  Host next(world, two_routes());
  CHECK(eventually([&] { return world.database.undelivered().empty(); }));
  CHECK(versions(world.edge, "account-1") == up_to(30));
}

TEST_CASE("a refused event is a dead letter; its stream waits behind it, others go on") {
  World world;
  Host host(world);
  refuse_next(world);
  append_to(host, "account-1", 2);
  REQUIRE(eventually([&] { return letters(host).size() == 1; }));
  for (int i = 0; i < 3; ++i) append_to(host, "account-1");
  append_to(host, "account-2", 3);
  CHECK(eventually([&] { return world.database.undelivered().empty(); }));
  CHECK(versions(world.exchange, "account-1").empty());
  CHECK(versions(world.exchange, "account-2") == up_to(3));

  const auto found = letters(host);
  REQUIRE(found.size() == 1);
  CHECK(found[0].key.route == "main");
  CHECK(found[0].key.stream == "account-1");
  CHECK(found[0].version == Version{1});
  CHECK(found[0].last == Version{5});
  CHECK_FALSE(found[0].released);
  CHECK(found[0].topic == "events.account");
  CHECK(!found[0].reason.empty());
  CHECK(found[0].attempts == 1);
  CHECK(found[0].event == world.database.events().front().id);
  CHECK(eventually([&] { return host.saga().route_reports()[0].dead_letters == 1; }));

  SECTION("a retry publishes it and what waits, in order") {
    REQUIRE(host.saga().retry(found[0].key, found[0].version).ok());
    REQUIRE(eventually([&] { return letters(host).empty(); }));
    CHECK(versions(world.exchange, "account-1") == up_to(5));
    append_to(host, "account-1");
    REQUIRE(world.exchange.wait_outbound(9));
    CHECK(versions(world.exchange, "account-1") == up_to(6));
  }
  SECTION("a retry that is refused again is counted") {
    refuse_next(world, 1, 0);
    REQUIRE(host.saga().retry(found[0].key, found[0].version).ok());
    REQUIRE(eventually([&] { return letters(host)[0].attempts == 2; }));
    CHECK_FALSE(letters(host)[0].released);
    CHECK(versions(world.exchange, "account-1").empty());
  }
  SECTION("a discard gives it up and publishes what waits") {
    REQUIRE(host.saga().discard(found[0].key, found[0].version).ok());
    REQUIRE(eventually([&] { return letters(host).empty(); }));
    CHECK(versions(world.exchange, "account-1") == std::vector<std::uint64_t>{2, 3, 4, 5});
  }
  SECTION("what was asked of one event does not befall another") {
    CHECK(host.saga().discard(found[0].key, Version{2}).code() == StatusCode::not_found);
    CHECK(host.saga().retry({"main", "account-9"}, Version{1}).code() == StatusCode::not_found);
    CHECK(host.saga().retry({"gone", "account-1"}, Version{1}).code() ==
          StatusCode::invalid_argument);
    CHECK(letters(host).size() == 1);
  }
}

TEST_CASE("a stream of thousands that waits behind a dead letter is published in order") {
  World world;
  Host host(world);
  refuse_next(world);
  for (int i = 0; i < 30; ++i) append_to(host, "account-1", 50);
  CHECK(eventually([&] { return world.database.undelivered().empty(); }));
  const auto found = letters(host);
  REQUIRE(found.size() == 1);
  REQUIRE(host.saga().retry(found[0].key, found[0].version).ok());
  for (int i = 0; i < 30; ++i) append_to(host, "account-1", 5);  // while it is published
  REQUIRE(eventually([&] { return letters(host).empty(); }));
  REQUIRE(eventually([&] { return world.database.undelivered().empty(); }));
  std::vector<std::uint64_t> firsts;
  for (const std::uint64_t version : versions(world.exchange, "account-1")) {
    if (version > firsts.size()) firsts.push_back(version);
  }
  CHECK(firsts == up_to(1'650));
}

TEST_CASE("a dead letter outlives its host, and holds its stream up at the next one") {
  World world;
  {
    Host host(world, two_routes());
    refuse_next(world);
    append_to(host, "account-1");
    REQUIRE(eventually([&] { return world.database.undelivered().empty(); }));
    host.kill();
  }
  Host next(world, two_routes());
  append_to(next, "account-1");
  CHECK(eventually([&] { return world.database.undelivered().empty(); }));
  CHECK(versions(world.exchange, "account-1").empty());
  CHECK(versions(world.edge, "account-1") == up_to(2));
  const auto found = letters(next);
  REQUIRE(found.size() == 1);
  CHECK(found[0].last == Version{2});
  REQUIRE(next.saga().retry(found[0].key, found[0].version).ok());
  CHECK(eventually([&] { return letters(next).empty(); }));
  CHECK(versions(world.exchange, "account-1") == up_to(2));
}

TEST_CASE("a dead letter that can't be kept: its delivery waits until it can") {
  World world;
  Host host(world);
  refuse_next(world, 3);
  world.faults.arm(Step::dead_letter, Fault::fail, 2);
  append_to(host, "account-1", 2);
  REQUIRE(eventually([&] { return !letters(host).empty(); }));
  CHECK(eventually([&] { return world.database.undelivered().empty(); }));
  CHECK(versions(world.exchange, "account-1").empty());

  // The same for what comes to wait behind it.
  world.faults.arm(Step::dead_letter, Fault::fail, 2);
  append_to(host, "account-1");
  CHECK(eventually([&] { return world.database.undelivered().empty(); }));
  CHECK(letters(host)[0].last == Version{3});
}

TEST_CASE("a broker that fails while a released stream is published: it goes on where it stopped") {
  World world;
  Host host(world);
  refuse_next(world);
  append_to(host, "account-1", 10);
  REQUIRE(eventually([&] { return !letters(host).empty(); }));
  world.faults.arm(Step::publish_outbound, Fault::fail, 3, 4);
  REQUIRE(host.saga().retry(letters(host)[0].key, Version{1}).ok());
  CHECK(eventually([&] { return letters(host).empty(); }));
  std::vector<std::uint64_t> firsts;
  for (const std::uint64_t version : versions(world.exchange, "account-1")) {
    if (version > firsts.size()) firsts.push_back(version);
  }
  CHECK(firsts == up_to(10));
}

}  // namespace
}  // namespace vouch::tests
