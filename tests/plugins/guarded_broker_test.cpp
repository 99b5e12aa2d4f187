// GuardedBroker over a broker that throws.
#include <catch2/catch.hpp>

#include "scripted_broker.h"

namespace vouch::plugins {
namespace {

class NoMessages final : public MessageSink {
 public:
  void message(const Message&) override {}
  void gap() override {}
};

std::string threw(const std::string& call) {
  return "internal: plugin main misbehaves: " + call + " threw: thrown on purpose";
}

}  // namespace

TEST_CASE("every call of a broker that throws gives a status in words, and is counted") {
  GuardedScript guarded;
  guarded.plugin->throws = true;
  GuardedBroker& broker = guarded.broker;
  NoMessages messages;
  Heard heard;
  CHECK(broker.open().to_string() == threw("open"));
  CHECK(broker.ensure({}, std::chrono::milliseconds(1)).to_string() == threw("ensure"));
  CHECK(broker.subscribe("t", Partition{}, messages).status().to_string() == threw("subscribe"));
  CHECK(guarded.publish(2, heard).to_string() == threw("publish"));
  CHECK(heard.count() == 0);
  CHECK(guarded.violations() == 4);

  CHECK_FALSE(broker.health().ok);
  CHECK(broker.health().detail == "plugin main misbehaves: health threw: thrown on purpose");
  CHECK_FALSE(broker.capabilities().ordered_by_key);
  CHECK(broker.guarantees() ==
        "unknown: plugin main misbehaves: guarantees threw: thrown on purpose");
  CHECK(broker.query("x/1") == nullptr);
  broker.close();
  CHECK(guarded.violations() == 10);
}

TEST_CASE("a subscription that throws or is not there is contained") {
  GuardedScript guarded;
  NoMessages messages;
  CHECK(guarded.broker.subscribe("none", Partition{}, messages).status().to_string() ==
        "internal: plugin main misbehaves: subscribe gave no subscription");
  auto subscription = guarded.broker.subscribe("stop", Partition{}, messages);
  REQUIRE(subscription.ok());
  (*subscription)->stop();
  CHECK(guarded.services.log_lines().back() ==
        "error: plugin misbehaving: stop threw: thrown on purpose plugin=main call=stop");
  CHECK(guarded.violations() == 2);
}

TEST_CASE("calls of a broker that keeps its contract pass through and are measured") {
  GuardedScript guarded([](std::size_t messages, PublishSink& sink) -> Status {
    for (std::size_t i = messages; i-- > 0;) {
      sink.published(i, i == 1 ? PublishOutcome::rejected : PublishOutcome::acked,
                     i == 1 ? Status(StatusCode::too_large, "too large") : Status());
    }
    return {};
  });
  Heard heard;
  CHECK(guarded.broker.open().ok());
  CHECK(guarded.publish(3, heard).ok());
  CHECK(heard.text() == "2 acked, 1 rejected, 0 acked");
  CHECK(heard.why(1) == "too_large: too large");
  CHECK(guarded.publish(0, heard).ok());
  guarded.broker.close();
  CHECK(heard.count() == 3);
  CHECK(guarded.violations() == 0);
  // open, publish, acknowledge, close
  CHECK(guarded.services.metric("vouch_broker_operation_duration_seconds") == 4);
}

}  // namespace vouch::plugins
