// PublishBatch: one outcome for each message, in the order of keys, whatever the broker says.
#include "vouch/messaging/publish_batch.h"

#include <catch2/catch.hpp>
#include <map>
#include <stdexcept>

namespace vouch::messaging {
namespace {

class Outcomes final : public PublishSink {
 public:
  void published(std::size_t index, PublishOutcome outcome, const Status& why) override {
    if (!heard.emplace(index, outcome).second) throw std::logic_error("heard twice");
    reasons[index] = why;
  }
  std::map<std::size_t, PublishOutcome> heard;
  std::map<std::size_t, Status> reasons;
};

std::vector<Message> messages(std::initializer_list<const char*> keys) {
  std::vector<Message> all;
  for (const char* key : keys) all.push_back({"t", std::nullopt, key, {}, "x"});
  return all;
}

const Status kWhy(StatusCode::unavailable, "because");

TEST_CASE("an outcome waits for those before it in its key, and for nobody else") {
  Outcomes outcomes;
  PublishBatch batch(messages({"a", "a", "b", "a"}), outcomes);
  batch.decide(3, PublishOutcome::acked, {});
  batch.decide(1, PublishOutcome::acked, {});
  CHECK(outcomes.heard.empty());
  batch.decide(2, PublishOutcome::acked, {});
  CHECK(outcomes.heard.size() == 1);
  CHECK_FALSE(batch.over());
  batch.decide(0, PublishOutcome::acked, {});
  CHECK(outcomes.heard.size() == 4);
  CHECK(batch.over());
  for (const auto& [index, outcome] : outcomes.heard) CHECK(outcome == PublishOutcome::acked);
}

TEST_CASE("behind a message that is not acked nothing of its key is, and it need not be sent") {
  Outcomes outcomes;
  PublishBatch batch(messages({"a", "a", "b", "a"}), outcomes);
  CHECK(batch.wanted(3));
  batch.decide(1, PublishOutcome::acked, {});
  batch.decide(0, PublishOutcome::rejected, kWhy);
  CHECK(outcomes.heard.at(0) == PublishOutcome::rejected);
  CHECK(outcomes.reasons.at(0).message() == "because");
  CHECK(outcomes.heard.at(1) == PublishOutcome::unknown);
  CHECK(outcomes.heard.at(3) == PublishOutcome::unknown);
  CHECK_FALSE(batch.wanted(3));
  CHECK(batch.wanted(2));
  batch.decide(3, PublishOutcome::acked, {});  // too late: it was told
  batch.decide(2, PublishOutcome::acked, {});
  CHECK(outcomes.heard.at(2) == PublishOutcome::acked);
}

TEST_CASE(
    "what is behind a refused message is not to be sent, also while one before it is on its way") {
  Outcomes outcomes;
  PublishBatch batch(messages({"a", "a", "b", "a", "a"}), outcomes);
  batch.decide(1, PublishOutcome::rejected, kWhy);
  CHECK(outcomes.heard.empty());
  CHECK(batch.wanted(0));
  CHECK(batch.wanted(2));
  CHECK_FALSE(batch.wanted(3));
  CHECK_FALSE(batch.wanted(4));
  batch.decide(0, PublishOutcome::acked, {});
  CHECK(outcomes.heard.at(0) == PublishOutcome::acked);
  CHECK(outcomes.heard.at(1) == PublishOutcome::rejected);
  CHECK(outcomes.heard.at(3) == PublishOutcome::unknown);
  CHECK(outcomes.heard.at(4) == PublishOutcome::unknown);
  CHECK_FALSE(batch.over());
  batch.decide(2, PublishOutcome::acked, {});
  CHECK(batch.over());
}

TEST_CASE("the same key on another topic is another key") {
  Outcomes outcomes;
  std::vector<Message> two = messages({"a", "a"});
  two[1].topic = "u";
  PublishBatch batch(two, outcomes);
  batch.decide(0, PublishOutcome::unknown, kWhy);
  batch.decide(1, PublishOutcome::acked, {});
  CHECK(outcomes.heard.at(1) == PublishOutcome::acked);
}

TEST_CASE("what is left can be decided at once, each once") {
  Outcomes outcomes;
  PublishBatch batch(messages({"a", "b", "a", "c"}), outcomes);
  batch.decide(1, PublishOutcome::acked, {});
  batch.decide(2, PublishOutcome::acked, {});
  batch.decide_all(PublishOutcome::unknown, kWhy);
  CHECK(outcomes.heard.size() == 4);
  CHECK(outcomes.heard.at(0) == PublishOutcome::unknown);
  CHECK(outcomes.heard.at(1) == PublishOutcome::acked);
  CHECK(outcomes.heard.at(2) == PublishOutcome::unknown);
  batch.decide_all(PublishOutcome::acked, {});
  CHECK(batch.over());
}

}  // namespace
}  // namespace vouch::messaging
