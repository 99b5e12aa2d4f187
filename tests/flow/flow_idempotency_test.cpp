// Retries are safe: keys and event ids are stored once, whatever happens in between.
#include <catch2/catch.hpp>
#include <future>
#include <thread>

#include "host_under_test.h"

namespace vouch::tests {
namespace {

using append::AppendAnswer;
using append::AppendCode;
using testkit::Fault;
using testkit::Step;

Append keyed(std::string_view stream, const std::string& key, const std::string& digest) {
  Append append = make_append(stream, 2);
  append.idempotency = Idempotency{std::string(stream), key, digest};
  return append;
}

TEST_CASE("the same key again gives the first answer, also from another host") {
  World world;
  AppendAnswer first;
  {
    Host host(world);
    first = host.appends().append(keyed("account-1", "k", "body"));
    REQUIRE(first.code == AppendCode::committed);
    REQUIRE(host.appends().append(make_append("account-1")).code == AppendCode::committed);
    const AppendAnswer again = host.appends().append(keyed("account-1", "k", "body"));
    CHECK(again.code == AppendCode::duplicate);
    CHECK(again.ids == first.ids);
    CHECK(again.token == first.token);
    CHECK(again.ranges.at(0).first == first.ranges.at(0).first);
  }
  Host other(world);
  const AppendAnswer again = other.appends().append(keyed("account-1", "k", "body"));
  CHECK(again.code == AppendCode::duplicate);
  CHECK(again.ids == first.ids);
  CHECK(world.database.events().size() == 3);
}

TEST_CASE("the same key with another body is refused, on another stream it is another key") {
  World world;
  Host host(world);
  REQUIRE(host.appends().append(keyed("account-1", "k", "one")).code == AppendCode::committed);
  CHECK(host.appends().append(keyed("account-1", "k", "two")).code == AppendCode::key_reused);
  CHECK(host.appends().append(keyed("account-2", "k", "two")).code == AppendCode::committed);
}

TEST_CASE("sixteen requests with one key at once are stored once and all hear the first answer") {
  World world;
  Host host(world);
  std::vector<std::future<AppendAnswer>> answers;
  for (int i = 0; i < 16; ++i) {
    answers.push_back(std::async(std::launch::async, [&] {
      return host.appends().append(keyed("account-1", "k", "body"));
    }));
  }
  int committed = 0;
  std::vector<EventId> ids;
  for (auto& one : answers) {
    const AppendAnswer answer = one.get();
    REQUIRE((answer.code == AppendCode::committed || answer.code == AppendCode::duplicate));
    if (answer.code == AppendCode::committed) ++committed;
    if (ids.empty()) ids = answer.ids;
    CHECK(answer.ids == ids);
  }
  CHECK(committed == 1);
  CHECK(world.database.events().size() == 2);
}

TEST_CASE("a key that is being written for longer than the wait is told so, and goes on") {
  World world;
  HostSettings settings;
  settings.idempotency_wait = std::chrono::milliseconds(50);
  Host host(world, settings);
  world.faults.arm(Step::commit, Fault::stall);
  auto first = std::async(std::launch::async,
                          [&] { return host.appends().append(keyed("account-1", "k", "body")); });
  REQUIRE(world.faults.wait_stalled(Step::commit));
  CHECK(host.appends().append(keyed("account-1", "k", "body")).code == AppendCode::key_in_flight);
  CHECK(host.appends().append(keyed("account-1", "k", "other")).code == AppendCode::key_in_flight);
  world.faults.release();
  CHECK(first.get().code == AppendCode::committed);
  CHECK(host.appends().append(keyed("account-1", "k", "body")).code == AppendCode::duplicate);
}

TEST_CASE("another request with a key that is being written is not given that request's answer") {
  World world;
  Host host(world);
  world.faults.arm(Step::commit, Fault::stall);
  auto first = std::async(std::launch::async,
                          [&] { return host.appends().append(keyed("account-1", "k", "body")); });
  REQUIRE(world.faults.wait_stalled(Step::commit));
  auto same = std::async(std::launch::async,
                         [&] { return host.appends().append(keyed("account-1", "k", "body")); });
  auto other = std::async(std::launch::async,
                          [&] { return host.appends().append(keyed("account-1", "k", "other")); });
  // Refused at once: it could only be told another request's answer by waiting.
  const bool refused = other.wait_for(std::chrono::seconds(1)) == std::future_status::ready;
  world.faults.release();
  CHECK(refused);
  CHECK(other.get().code == AppendCode::key_in_flight);
  const AppendAnswer written = first.get();
  CHECK(written.code == AppendCode::committed);
  CHECK(same.get().ids == written.ids);
  CHECK(host.appends().append(keyed("account-1", "k", "other")).code == AppendCode::key_reused);
}

TEST_CASE("a key whose request failed is free again") {
  World world;
  Host host(world);
  world.faults.arm(Step::publish_validation, Fault::fail);
  CHECK(host.appends().append(keyed("account-1", "k", "one")).code ==
        AppendCode::broker_unavailable);
  CHECK(host.appends().append(keyed("account-1", "k", "two")).code == AppendCode::committed);
}

TEST_CASE(
    "the client's event ids again are a duplicate, even with an expected version that is past") {
  World world;
  Host host(world);
  Append append = make_append("account-1", 2, ExpectedVersion::none());
  append.writes[0].events[0].id = *EventId::parse("0ujtsYcgvSTl8PAuAdqWYSMnLOv");
  append.writes[0].events[1].id = *EventId::parse("0ujsswThIGTUYm2K8FjOOfXtY1K");
  const Append again = append;
  const AppendAnswer first = host.appends().append(append);
  REQUIRE(first.code == AppendCode::committed);
  REQUIRE(host.appends().append(make_append("account-1")).code == AppendCode::committed);
  const AppendAnswer second = host.appends().append(again);
  CHECK(second.code == AppendCode::duplicate);
  CHECK(second.ranges.at(0).last == Version{2});
  CHECK(second.ids == first.ids);
  Append elsewhere = again;
  elsewhere.writes[0].stream = StreamName::unchecked("account-2");
  CHECK(host.appends().append(elsewhere).code == AppendCode::id_reused);
  CHECK(world.database.events().size() == 3);
}

}  // namespace
}  // namespace vouch::tests
