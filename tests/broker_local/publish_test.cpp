// What publishers to the local broker hear.
#include <catch2/catch.hpp>

#include "fixture.h"

namespace vouch::broker_local {

TEST_CASE("a message that nobody subscribes to is acknowledged and forgotten") {
  Local local;
  CHECK(local.publish({message("nobody", "k", "x")}).of(0) == PublishOutcome::acked);
  CHECK_THAT(local.broker.guarantees(), Catch::Contains("acknowledged and forgotten"));
  const BrokerCapabilities capabilities = local.broker.capabilities();
  CHECK_FALSE(capabilities.survives_crash);
  CHECK_FALSE(capabilities.several_hosts);
  CHECK(capabilities.headers);
  CHECK(capabilities.ordered_by_key);
  CHECK(capabilities.max_message_bytes == 16U << 20U);
}

TEST_CASE("a message that is too large is rejected, and those of its key behind it are not taken") {
  Local local(Given{{"max_message_bytes", "1KiB"}});
  Received received;
  const auto subscription = local.subscribe("t", 0, received);
  const std::string large(1025, 'x');
  const std::string full(1024, 'y');

  const Outcomes outcomes =
      local.publish({message("t", "k", "1"), message("t", "k", large), message("t", "k", "3"),
                     message("t", "other", full), message("u", "k", "5")});

  CHECK(outcomes.of(0) == PublishOutcome::acked);
  CHECK(outcomes.of(1) == PublishOutcome::rejected);
  CHECK(outcomes.why(1).code() == StatusCode::too_large);
  CHECK(outcomes.why(1).message() == "the message has 1025 bytes, max_message_bytes is 1024");
  CHECK(outcomes.of(2) == PublishOutcome::unknown);
  CHECK(outcomes.why(2).message() == "not taken, since an earlier message of its key was not");
  CHECK(outcomes.of(3) == PublishOutcome::acked);
  CHECK(outcomes.of(4) == PublishOutcome::acked);
  CHECK(received.wait(2) == std::vector<std::string>{"t/0 k 1", "t/0 other " + full});
}

TEST_CASE("headers count towards the size of a message") {
  Local local(Given{{"max_message_bytes", "1KiB"}});
  const std::string value(1020, 'v');
  const Header headers[] = {{"name", value}};
  CHECK(local.publish({{"t", std::nullopt, "k", headers, ""}}).of(0) == PublishOutcome::acked);
  CHECK(local.publish({{"t", std::nullopt, "k", headers, "x"}}).of(0) == PublishOutcome::rejected);
}

TEST_CASE("partitions that a topic does not have are refused in words") {
  Local local;
  const TopicSpec topics[] = {{"t", 4}};
  REQUIRE(local.broker.ensure(topics, 0ms).ok());
  const Outcomes outcomes = local.publish({{"t", Partition{4}, "k", {}, "x"}});
  CHECK(outcomes.of(0) == PublishOutcome::rejected);
  CHECK(outcomes.why(0).message() == "topic 't' has 4 partitions, there is no partition 4");
  Received received;
  const auto subscription = local.broker.subscribe("t", Partition{4}, received);
  REQUIRE_FALSE(subscription.ok());
  CHECK(subscription.status().code() == StatusCode::invalid_argument);
}

TEST_CASE("topics without a name or without partitions are refused") {
  Local local;
  const TopicSpec nameless[] = {{"", 1}};
  const TopicSpec empty[] = {{"t", 0}};
  CHECK(local.broker.ensure(nameless, 0ms).code() == StatusCode::invalid_argument);
  CHECK(local.broker.ensure(empty, 0ms).code() == StatusCode::invalid_argument);
  CHECK(local.publish({message("", "k", "x")}).of(0) == PublishOutcome::rejected);
  Received received;
  CHECK_FALSE(local.broker.subscribe("", Partition{0}, received).ok());
}

TEST_CASE("a drill acknowledges messages on its topics and throws them away") {
  Local local(Given{{"drop_percent", "100"}, {"drop_topics", values::TextList{"signals."}}});
  Received signals;
  Received events;
  const auto one = local.subscribe("signals.a", 0, signals);
  const auto two = local.subscribe("events.a", 0, events);
  const Outcomes outcomes =
      local.publish({message("signals.a", "k", "x"), message("events.a", "k", "y")});
  CHECK(outcomes.of(0) == PublishOutcome::acked);
  CHECK(outcomes.of(1) == PublishOutcome::acked);
  CHECK(events.wait(1).size() == 1);
  CHECK(signals.entries().empty());
  CHECK(local.services.metric("vouch_broker_local_drilled_total") == 1);
  CHECK_THAT(local.broker.guarantees(), Catch::Contains("A drill is on"));
}

TEST_CASE("a drill loses about the share that was asked for") {
  Local local(Given{{"drop_percent", "30"}, {"drop_topics", values::TextList{"t"}}});
  for (int i = 0; i < 2'000; ++i) local.publish({message("t", "k", "x")});
  const double lost = local.services.metric("vouch_broker_local_drilled_total");
  // Six standard deviations (20.5) around 600: fails by chance once in 500 million runs.
  CHECK(lost > 477);
  CHECK(lost < 723);
}

}  // namespace vouch::broker_local
