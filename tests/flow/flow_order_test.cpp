// The flow without faults: its steps happen in the order of the picture, groups form by themselves,
// and what is committed comes out once, in order.
#include <algorithm>
#include <catch2/catch.hpp>
#include <future>
#include <map>
#include <set>
#include <thread>

#include "host_under_test.h"

namespace vouch::tests {
namespace {

using testkit::Fault;
using testkit::Step;

/// The steps of the record, without their details.
std::vector<std::string> steps(const World& world) {
  std::vector<std::string> names;
  for (const std::string& line : world.faults.record())
    names.push_back(line.substr(0, line.find(' ')));
  return names;
}

std::size_t place(const std::vector<std::string>& names, const std::string& name) {
  const auto found = std::find(names.begin(), names.end(), name);
  REQUIRE(found != names.end());
  return static_cast<std::size_t>(found - names.begin());
}

TEST_CASE(
    "an append passes insert, validation publish, commit, outbound publish and mark, in that "
    "order") {
  World world;
  Host host(world);
  world.faults.clear_record();
  const append::AppendAnswer answer = host.appends().append(make_append("account-1", 2));
  REQUIRE(answer.code == append::AppendCode::committed);
  CHECK(answer.ranges.at(0).first == Version{1});
  CHECK(answer.ranges.at(0).last == Version{2});
  CHECK(answer.ids.size() == 2);
  REQUIRE(world.exchange.wait_outbound(2));
  REQUIRE(host.saga().wait_delivered(answer.deliveries,
                                     std::chrono::steady_clock::now() + std::chrono::seconds(5)));
  const std::vector<std::string> names = steps(world);
  CHECK(place(names, "stage") < place(names, "publish_validation"));
  CHECK(place(names, "publish_validation") < place(names, "commit"));
  CHECK(place(names, "commit") < place(names, "publish_outbound"));
  CHECK(place(names, "publish_outbound") < place(names, "complete"));
  CHECK(published(world.exchange) == std::vector<Published>{{"account-1", 1}, {"account-1", 2}});
  CHECK(world.database.undelivered().empty());
}

TEST_CASE(
    "nothing is published outbound while the transaction is open, though its message has arrived") {
  World world;
  Host host(world);
  world.faults.arm(Step::commit, Fault::stall);
  auto answer = std::async(std::launch::async,
                           [&] { return host.appends().append(make_append("account-1")); });
  REQUIRE(world.faults.wait_stalled(Step::commit));
  std::this_thread::sleep_for(std::chrono::milliseconds(350));  // several sweeps and questions
  CHECK(world.exchange.validation().size() == 1);
  CHECK(world.exchange.outbound().empty());
  CHECK(world.database.events().empty());
  world.faults.release();
  CHECK(answer.get().code == append::AppendCode::committed);
  CHECK(world.exchange.wait_outbound(1));
}

TEST_CASE("a binary route carries the data as it is and the attributes as headers") {
  World world;
  HostSettings settings;
  settings.binary = true;
  Host host(world, settings);
  const append::AppendAnswer answer = host.appends().append(make_append("account-1"));
  REQUIRE(answer.code == append::AppendCode::committed);
  REQUIRE(host.saga().wait_delivered(answer.deliveries,
                                     std::chrono::steady_clock::now() + std::chrono::seconds(5)));
  const std::vector<testkit::TakenMessage> out = world.exchange.outbound();
  REQUIRE(out.size() == 1);
  CHECK(out[0].payload == R"({"n":0})");
  CHECK(out[0].key == "account-1");
  const std::map<std::string, std::string> headers(out[0].headers.begin(), out[0].headers.end());
  CHECK(headers.size() == 9);
  CHECK(headers.at("content-type") == "application/json");
  CHECK(headers.at("id") == answer.ids.at(0).to_string());
  CHECK(headers.at("source") == "/shop/account-1");
  CHECK(headers.at("type") == "happened");
  CHECK(headers.at("sequence") == "00000000000000000001");
}

TEST_CASE("appends that wait while a transaction is in flight go into the next one together") {
  World world;
  HostSettings settings;
  settings.lanes = 1;
  Host host(world, settings);
  world.faults.arm(Step::commit, Fault::stall);
  std::vector<std::promise<append::AppendAnswer>> promises(21);
  std::vector<std::future<append::AppendAnswer>> answers;
  for (auto& promise : promises) answers.push_back(promise.get_future());
  const auto submit = [&](std::size_t i) {
    host.appends().submit(
        make_append("account-" + std::to_string(i)),
        [&, i](append::AppendAnswer got) { promises[i].set_value(std::move(got)); });
  };
  submit(0);
  REQUIRE(world.faults.wait_stalled(Step::commit));
  for (std::size_t i = 1; i < promises.size(); ++i) submit(i);
  world.faults.release();
  std::set<Token> transactions;
  for (auto& answer : answers) {
    const append::AppendAnswer got = answer.get();
    REQUIRE(got.code == append::AppendCode::committed);
    transactions.insert(got.token);
  }
  CHECK(transactions.size() == 2);
}

TEST_CASE("a conflict in a group spares its neighbours and learns the actual version") {
  World world;
  HostSettings settings;
  settings.lanes = 1;
  Host host(world, settings);
  world.faults.arm(Step::commit, Fault::stall);
  std::vector<append::AppendAnswer> answers(4);
  std::vector<std::future<void>> done;
  const auto submit = [&](std::size_t i, Append append) {
    auto promise = std::make_shared<std::promise<void>>();
    done.push_back(promise->get_future());
    host.appends().submit(std::move(append), [&answers, i, promise](append::AppendAnswer got) {
      answers[i] = std::move(got);
      promise->set_value();
    });
  };
  submit(0, make_append("account-1"));
  REQUIRE(world.faults.wait_stalled(Step::commit));
  submit(1, make_append("account-1", 1, ExpectedVersion::exact(Version{1})));
  submit(2, make_append("account-1", 1, ExpectedVersion::exact(Version{1})));
  submit(3, make_append("account-2", 3));
  world.faults.release();
  for (auto& one : done) one.get();
  CHECK(answers[1].code == append::AppendCode::committed);
  CHECK(answers[2].code == append::AppendCode::wrong_version);
  CHECK(answers[2].actual == Version{2});
  CHECK(answers[3].code == append::AppendCode::committed);
  CHECK(answers[1].token == answers[3].token);
  CHECK(world.database.events().size() == 5);
}

TEST_CASE("writers racing over a few streams leave dense versions, and each comes out in order") {
  World world;
  HostSettings settings;
  settings.lanes = 4;
  Host host(world, settings);
  constexpr int kWriters = 8;
  constexpr int kAppends = 40;
  std::vector<std::thread> writers;
  for (int w = 0; w < kWriters; ++w) {
    writers.emplace_back([&, w] {
      for (int i = 0; i < kAppends; ++i) {
        const std::string stream = "account-" + std::to_string((w + i) % 5);
        const auto answer =
            host.appends().append(make_append(stream, 1 + static_cast<std::size_t>(i % 3)));
        if (answer.code != append::AppendCode::committed) std::abort();
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  const std::size_t stored = world.database.events().size();
  REQUIRE(world.exchange.wait_outbound(stored));
  std::map<std::string, std::uint64_t> last;
  for (const Event& event : world.database.events()) {
    CHECK(event.version.value == ++last[event.stream.str()]);
  }
  std::map<std::string, std::uint64_t> seen;
  for (const Published& one : published(world.exchange)) {
    if (one.version <= seen[one.stream]) continue;
    CHECK(one.version == ++seen[one.stream]);
  }
  CHECK(seen == last);
}

TEST_CASE("event ids rise along a stream") {
  World world;
  Host host(world);
  for (int i = 0; i < 50; ++i) {
    REQUIRE(host.appends().append(make_append("account-1", 3)).code ==
            append::AppendCode::committed);
  }
  EventId last;
  for (const Event& event : world.database.events()) {
    CHECK(last < event.id);
    last = event.id;
  }
}

TEST_CASE("an append that is larger than the queue gets in when nothing else waits") {
  World world;
  HostSettings settings;
  settings.queue_events = 5;
  Host host(world, settings);
  CHECK(host.appends().append(make_append("account-1", 8)).code == append::AppendCode::committed);
}

TEST_CASE("a full queue is answered at once and leaves nothing behind") {
  World world;
  HostSettings settings;
  settings.lanes = 1;
  settings.queue_events = 10;
  Host host(world, settings);
  world.faults.arm(Step::stage, Fault::stall);
  std::vector<std::future<append::AppendAnswer>> waiting;
  waiting.push_back(std::async(std::launch::async,
                               [&] { return host.appends().append(make_append("account-1")); }));
  REQUIRE(world.faults.wait_stalled(Step::stage));
  waiting.push_back(std::async(
      std::launch::async, [&] { return host.appends().append(make_append("account-1", 10)); }));
  while (host.appends().waiting_events() < 10) std::this_thread::yield();
  const append::AppendAnswer refused = host.appends().append(make_append("account-2"));
  CHECK(refused.code == append::AppendCode::overloaded);
  world.faults.release();
  for (auto& one : waiting) CHECK(one.get().code == append::AppendCode::committed);
  CHECK(world.database.events().size() == 11);
}

TEST_CASE(
    "an append that no lane takes in time is refused and never written; what a lane has is not") {
  World world;
  HostSettings settings;
  settings.lanes = 1;
  settings.queue_timeout = std::chrono::milliseconds(50);
  Host host(world, settings);
  world.faults.arm(Step::stage, Fault::stall);
  auto taken = std::async(std::launch::async,
                          [&] { return host.appends().append(make_append("account-1")); });
  REQUIRE(world.faults.wait_stalled(Step::stage));
  const append::AppendAnswer refused = host.appends().append(make_append("account-2", 3));
  CHECK(refused.code == append::AppendCode::overloaded);
  CHECK(refused.reason.message() ==
        "no transaction could begin for 50 ms (append.queue_timeout); /readyz says what is "
        "missing, if something is");
  CHECK(host.appends().waiting_events() == 0);
  CHECK(taken.wait_for(std::chrono::milliseconds(0)) == std::future_status::timeout);
  world.faults.release();
  CHECK(taken.get().code == append::AppendCode::committed);
  CHECK(host.appends().append(make_append("account-1")).code == append::AppendCode::committed);
  CHECK(world.database.events().size() == 2);
}

}  // namespace
}  // namespace vouch::tests
