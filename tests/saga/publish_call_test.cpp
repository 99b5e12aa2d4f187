#include "publish/publish_call.h"

#include <catch2/catch.hpp>
#include <thread>

#include "vouch/testkit/memory_broker.h"

namespace vouch::publish {
namespace {

using testkit::Fault;
using testkit::Step;

struct Fixture {
  testkit::Faults faults;
  testkit::MemoryExchange exchange{faults};
  testkit::MemoryBroker broker{exchange};
  std::atomic<bool> give_up{false};
  std::vector<Message> messages{{"events.a", {}, "a-1", {}, "one"},
                                {"events.a", {}, "a-2", {}, "two"}};
  Fixture() { REQUIRE(broker.open().ok()); }
  ~Fixture() {
    faults.clear();
    broker.close();
  }
};

TEST_CASE("a publish that is acknowledged is reported so") {
  Fixture fixture;
  const auto report =
      publish_and_wait(fixture.broker, fixture.messages, std::chrono::seconds(5), fixture.give_up);
  CHECK(report.all_acked());
  CHECK(report.outcomes == std::vector<PublishOutcome>(2, PublishOutcome::acked));
}

TEST_CASE("nothing to publish is acknowledged at once") {
  Fixture fixture;
  CHECK(publish_and_wait(fixture.broker, {}, std::chrono::seconds(5), fixture.give_up).all_acked());
}

TEST_CASE("a message that is refused is told apart from its neighbour, with the reason") {
  Fixture fixture;
  fixture.faults.arm(Step::publish_outbound, Fault::reject);
  const auto report =
      publish_and_wait(fixture.broker, fixture.messages, std::chrono::seconds(5), fixture.give_up);
  CHECK_FALSE(report.all_acked());
  CHECK(report.outcomes[0] == PublishOutcome::rejected);
  CHECK(report.outcomes[1] == PublishOutcome::acked);
  CHECK_FALSE(report.problem.message().empty());
}

TEST_CASE("waiting ends soon after it was given up, and a late outcome harms nothing") {
  Fixture fixture;
  fixture.faults.arm(Step::publish_outbound, Fault::stall);
  const auto start = std::chrono::steady_clock::now();
  std::thread impatient([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    fixture.give_up = true;
  });
  const auto report =
      publish_and_wait(fixture.broker, fixture.messages, std::chrono::seconds(60), fixture.give_up);
  impatient.join();
  CHECK_FALSE(report.all_acked());
  CHECK(report.outcomes[0] == PublishOutcome::unknown);
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(20));
  fixture.faults.release();
}

}  // namespace
}  // namespace vouch::publish
