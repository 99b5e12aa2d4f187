// LosingBroker over a broker that a test hands messages to.
#include "prove/losing_broker.h"

#include <catch2/catch.hpp>
#include <map>

namespace vouch::prove {
namespace {

class Exchange final : public Broker {
 public:
  Status open() override { return {}; }
  void close() override {}
  Health health() override { return {}; }
  [[nodiscard]] BrokerCapabilities capabilities() const override { return {}; }
  [[nodiscard]] std::string guarantees() const override { return "none"; }
  Status ensure(std::span<const TopicSpec> /*topics*/,
                std::chrono::milliseconds /*wait*/) override {
    return {};
  }
  Status publish(std::span<const Message> /*messages*/, std::chrono::milliseconds /*deadline*/,
                 PublishSink& /*sink*/) override {
    return {};
  }
  Result<std::unique_ptr<Subscription>> subscribe(std::string_view topic, Partition partition,
                                                  MessageSink& sink) override {
    if (topic.empty()) return Status(StatusCode::unavailable, "no topic");
    sinks[partition] = &sink;
    return std::unique_ptr<Subscription>(std::make_unique<Ended>(*this, partition));
  }
  void* query(std::string_view /*interface_id*/) override { return nullptr; }

  std::map<Partition, MessageSink*> sinks;

 private:
  class Ended final : public Subscription {
   public:
    Ended(Exchange& exchange, Partition partition) : exchange_(exchange), partition_(partition) {}
    ~Ended() override { stop(); }
    void stop() override { exchange_.sinks.erase(partition_); }

   private:
    Exchange& exchange_;
    Partition partition_;
  };
};

class Heard final : public MessageSink {
 public:
  void message(const Message& /*message*/) override { ++messages; }
  void gap() override { ++gaps; }
  int messages = 0;
  int gaps = 0;
};

int heard_of_thousand(double share) {
  Exchange exchange;
  LosingBroker broker(exchange, share, 7);
  Heard heard;
  auto subscription = broker.subscribe("topic", Partition{3}, heard);
  REQUIRE(subscription.ok());
  for (int i = 0; i < 1'000; ++i) exchange.sinks.at({3})->message({});
  exchange.sinks.at({3})->gap();
  CHECK(heard.gaps == 1);
  (*subscription)->stop();
  CHECK(exchange.sinks.empty());
  return heard.messages;
}

TEST_CASE("a losing broker loses about the share it is told, and says no gap for it") {
  CHECK(heard_of_thousand(0) == 1'000);
  CHECK(heard_of_thousand(1) == 0);
  const int heard = heard_of_thousand(0.1);
  CHECK(heard > 850);
  CHECK(heard < 950);
}

TEST_CASE("a losing broker ends its subscription with the object, and passes refusals on") {
  Exchange exchange;
  LosingBroker broker(exchange, 0.5, 7);
  Heard heard;
  {
    const auto subscription = broker.subscribe("topic", Partition{0}, heard);
    CHECK(exchange.sinks.size() == 1);
  }
  CHECK(exchange.sinks.empty());
  CHECK(broker.subscribe("", Partition{0}, heard).status().message() == "no topic");
}

}  // namespace
}  // namespace vouch::prove
