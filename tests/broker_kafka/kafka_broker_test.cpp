#include "kafka_broker.h"

#include <librdkafka/rdkafka_mock.h>

#include <catch2/catch.hpp>
#include <condition_variable>
#include <cstdlib>
#include <iostream>
#include <map>
#include <mutex>
#include <random>
#include <thread>

#include "acked_offsets.h"
#include "client_conf.h"
#include "error_words.h"
#include "gates.h"
#include "vouch/scratch.h"
#include "vouch/testkit/test_services.h"

namespace vouch::kafka {
namespace {

using namespace std::chrono_literals;
using Given = std::vector<values::GivenSetting>;

class Outcomes final : public PublishSink {
 public:
  explicit Outcomes(std::size_t count) : left_(count), all_(count), why_(count) {}
  void published(std::size_t index, PublishOutcome outcome, const Status& why) override {
    const std::lock_guard lock(mutex_);
    all_.at(index) = outcome;
    why_.at(index) = why;
    --left_;
    changed_.notify_all();
  }
  const std::vector<PublishOutcome>& wait() {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, 30s, [&] { return left_ == 0; });
    REQUIRE(left_ == 0);
    return all_;
  }
  const Status& why(std::size_t index) { return why_.at(index); }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t left_;
  std::vector<PublishOutcome> all_;
  std::vector<Status> why_;
};

class Received final : public MessageSink {
 public:
  void message(const Message& message) override {
    const std::lock_guard lock(mutex_);
    all_.emplace_back(message.payload);
    changed_.notify_all();
  }
  void gap() override {}
  std::vector<std::string> wait(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, 30s, [&] { return all_.size() >= count; });
    return all_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> all_;
};

class Mocks {
 public:
  Mocks()
      : client_(rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), nullptr, 0)),
        cluster_(rd_kafka_mock_cluster_new(client_, 1)) {}
  Mocks(const Mocks&) = delete;
  Mocks& operator=(const Mocks&) = delete;
  ~Mocks() {
    rd_kafka_mock_cluster_destroy(cluster_);
    rd_kafka_destroy(client_);
  }
  [[nodiscard]] std::string servers() const { return rd_kafka_mock_cluster_bootstraps(cluster_); }
  void make_topic(const char* name, int partitions) {
    rd_kafka_mock_topic_create(cluster_, name, partitions, 1);
  }
  /// The next produce request is answered so, after a while.
  void refuse_later(rd_kafka_resp_err_t error, std::chrono::milliseconds after) {
    rd_kafka_mock_broker_push_request_error_rtts(cluster_, 1, kProduce, 1, error,
                                                 static_cast<int>(after.count()));
  }
  /// The next produce requests fail so.
  void fail_produce(std::initializer_list<rd_kafka_resp_err_t> errors) {
    for (const rd_kafka_resp_err_t error : errors) {
      rd_kafka_mock_push_request_errors(cluster_, kProduce, 1, error);
    }
  }
  /// What partition 0 of the topic has.
  [[nodiscard]] std::vector<std::string> kept(const char* topic) const {
    rd_kafka_conf_t* const conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", servers().c_str(), nullptr, 0);
    rd_kafka_conf_set(conf, "enable.partition.eof", "true", nullptr, 0);
    rd_kafka_t* const reader = rd_kafka_new(RD_KAFKA_CONSUMER, conf, nullptr, 0);
    rd_kafka_topic_t* const handle = rd_kafka_topic_new(reader, topic, nullptr);
    rd_kafka_consume_start(handle, 0, RD_KAFKA_OFFSET_BEGINNING);
    std::vector<std::string> all;
    bool end = false;
    while (!end) {
      rd_kafka_message_t* const message = rd_kafka_consume(handle, 0, 10'000);
      REQUIRE(message != nullptr);
      if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        all.emplace_back(static_cast<const char*>(message->payload), message->len);
      }
      end = message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF;
      rd_kafka_message_destroy(message);
    }
    rd_kafka_consume_stop(handle, 0);
    rd_kafka_topic_destroy(handle);
    rd_kafka_destroy(reader);
    return all;
  }

 private:
  static constexpr std::int16_t kProduce = 0;
  rd_kafka_t* const client_;
  rd_kafka_mock_cluster_t* const cluster_;
};

struct Kafka {
  explicit Kafka(const std::string& servers, Given more = {}) {
    Given given{{"bootstrap_servers", values::TextList{servers}}};
    for (auto& one : more) given.push_back(std::move(one));
    broker = std::make_unique<KafkaBroker>(
        options_from(testkit::make_settings(kSettings, std::move(given))), services);
    const Status opened = broker->open();
    INFO(opened.to_string());
    REQUIRE(opened.ok());
  }
  ~Kafka() { broker->close(); }

  PublishOutcome publish(const Message& message, std::string* why = nullptr,
                         std::chrono::milliseconds deadline = 10s) {
    Outcomes outcomes(1);
    REQUIRE(broker->publish({&message, 1}, deadline, outcomes).ok());
    const PublishOutcome outcome = outcomes.wait()[0];
    if (why != nullptr) *why = outcomes.why(0).message();
    return outcome;
  }

  testkit::TestServices services;
  std::unique_ptr<KafkaBroker> broker;
};

Message message(std::string_view topic, std::string_view payload, std::string_view key = "k") {
  return {topic, std::nullopt, key, {}, payload};
}

std::vector<std::string> problems(Given given) {
  const auto settings = testkit::make_settings(kSettings, std::move(given));
  class Problems final : public SettingProblems {
   public:
    void problem(std::string_view key, std::string_view words) override {
      all.push_back(std::string(key) + " " + std::string(words));
    }
    std::vector<std::string> all;
  } found;
  validate_options(settings, found);
  return found.all;
}

TEST_CASE("properties that would break the promise, or that nobody knows, are refused in words") {
  const values::TextList servers{"a:9092"};
  const auto with = [&](const char* name, const char* value) {
    return problems(
        {{"bootstrap_servers", servers}, {"properties", values::TextMap{{name, value}}}});
  };
  CHECK(with("client.rack", "a").empty());
  CHECK(with("socket.keepalive.enable", "true").empty());
  for (const char* name :
       {"acks", "enable.idempotence", "retries", "message.timeout.ms", "partitioner",
        "transactional.id", "max.in.flight", "queuing.strategy", "group.id", "sasl.password",
        "delivery.report.only.error", "linger.ms", "auto.offset.reset"}) {
    INFO(name);
    const auto found = with(name, "1");
    REQUIRE(found.size() == 1);
    CHECK(found[0].find("properties " + std::string(name) + " can't be set here: ") == 0);
  }
  const auto unknown = with("no.such.property", "1");
  REQUIRE(unknown.size() == 1);
  CHECK(unknown[0].find("no.such.property") != std::string::npos);
  CHECK(with("socket.timeout.ms", "soon").size() == 1);
  CHECK(problems({{"bootstrap_servers", servers}, {"sasl_username", "u"}}).size() == 1);
  CHECK(problems({{"bootstrap_servers", servers}, {"security_protocol", "sasl_ssl"}}).size() == 1);
  CHECK(problems({{"bootstrap_servers", values::TextList{}}}).size() == 1);
}

TEST_CASE("errors of librdkafka: which are for good") {
  for (const auto error :
       {RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED,
        RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION, RD_KAFKA_RESP_ERR_INVALID_RECORD}) {
    CHECK(outcome_of(error) == PublishOutcome::rejected);
  }
  for (const auto error :
       {RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, RD_KAFKA_RESP_ERR__MSG_TIMED_OUT,
        RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS, RD_KAFKA_RESP_ERR__TRANSPORT,
        RD_KAFKA_RESP_ERR__PURGE_QUEUE, RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED}) {
    CHECK(outcome_of(error) == PublishOutcome::unknown);
    CHECK_FALSE(words_for(error, "t").message().empty());
  }
}

TEST_CASE("passing errors of the brokers are retried, and order holds") {
  Mocks mocks;
  mocks.make_topic("events", 1);
  Kafka kafka(mocks.servers());
  Received received;
  const auto subscription = kafka.broker->subscribe("events", {0}, received);
  REQUIRE(subscription.ok());
  REQUIRE(kafka.publish(message("events", "first")) == PublishOutcome::acked);
  mocks.fail_produce({RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS, RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT,
                      RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION});
  std::vector<std::string> payloads;
  for (int i = 0; i < 200; ++i) payloads.push_back(std::to_string(i));
  std::vector<Message> all;
  for (const std::string& payload : payloads) all.push_back(message("events", payload));
  Outcomes outcomes(all.size());
  REQUIRE(kafka.broker->publish(all, 20s, outcomes).ok());
  for (const PublishOutcome outcome : outcomes.wait()) CHECK(outcome == PublishOutcome::acked);
}

// The cluster of mocks takes every sequence number, as Kafka does of a producer that a partition
// does not know. Without gates the second message is on its way when the first one is refused, and
// is kept without it; librdkafka acknowledges both.
TEST_CASE("the first message of a partition is kept, and before the second one") {
  const bool known = GENERATE(false, true);
  Mocks mocks;
  mocks.make_topic("other", 1);
  mocks.make_topic("events", 1);
  Kafka kafka(mocks.servers());
  REQUIRE(kafka.publish(message("other", "connected")) == PublishOutcome::acked);
  if (known) {
    const TopicSpec events{"events", 1};
    REQUIRE(kafka.broker->ensure({&events, 1}, 10s).ok());
    std::this_thread::sleep_for(100ms);
  }
  mocks.refuse_later(RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, 300ms);
  std::vector<std::unique_ptr<Outcomes>> outcomes;
  for (const char* payload : {"1", "2", "3"}) {
    outcomes.push_back(std::make_unique<Outcomes>(1));
    const Message one = message("events", payload);
    REQUIRE(kafka.broker->publish({&one, 1}, 10s, *outcomes.back()).ok());
    std::this_thread::sleep_for(50ms);
  }
  for (const auto& each : outcomes) CHECK(each->wait()[0] == PublishOutcome::acked);
  CHECK(mocks.kept("events") == std::vector<std::string>{"1", "2", "3"});
  CHECK(kafka.services.metric("vouch_kafka_replaced_producers_total") == 0);
}

TEST_CASE("gates: the first record of a partition goes alone, and those that wait keep order") {
  const Gates::Time now{};
  Gates gates;
  CHECK(gates.meet("a"));
  CHECK_FALSE(gates.meet("a"));
  CHECK(gates.partition_of("a", "k") == Gates::kUnknownPartition);
  CHECK(gates.partition_of("a", "") == Gates::kAnyPartition);

  SECTION("of one partition") {
    CHECK(gates.enter("a", 0, 1, now));
    CHECK_FALSE(gates.enter("a", 0, 2, now));
    CHECK(gates.enter("a", 1, 3, now));
    CHECK(gates.take().empty());
    gates.left("a", 0, 1);  // refused: the next one is the first
    CHECK(gates.take() == std::vector<Gates::Number>{2});
    CHECK(gates.empty());
    CHECK(gates.enter("a", 0, 2, now));
    CHECK_FALSE(gates.enter("a", 0, 4, now));
    gates.left("a", 0, 2);
    gates.prove("a", 0, now);
    CHECK_FALSE(gates.enter("a", 0, 5, now));  // not past the one that waits
    CHECK(gates.take() == std::vector<Gates::Number>{4, 5});
    CHECK(gates.enter("a", 0, 4, now));
    CHECK(gates.enter("a", 0, 5, now));
    CHECK(gates.enter("a", 0, 6, now));
  }
  SECTION("of a topic that nobody was asked about: the topic is one gate") {
    CHECK(gates.enter("a", Gates::kUnknownPartition, 1, now));
    gates.know("a", 8);
    const std::int32_t place = gates.partition_of("a", "k");
    CHECK(place >= 0);
    CHECK(place < 8);
    CHECK_FALSE(gates.enter("a", place, 2, now));
    CHECK_FALSE(gates.enter("a", Gates::kAnyPartition, 3, now));
    CHECK(gates.waiting().size() == 2);
    gates.left("a", Gates::kUnknownPartition, 1);
    CHECK(gates.take() == std::vector<Gates::Number>{2, 3});
  }
  SECTION("what librdkafka refuses holds its topic until brokers were asked") {
    CHECK(gates.enter("a", 0, 1, now));
    CHECK_FALSE(gates.enter("a", 0, 2, now));
    gates.hold("a", 0, 1);
    CHECK_FALSE(gates.enter("a", 1, 3, now));
    CHECK(gates.take().empty());
    gates.know("a", 0);
    CHECK(gates.take() == std::vector<Gates::Number>{1, 2, 3});
  }
  SECTION("brokers forget a producer that is silent for long") {
    gates.prove("a", 0, now);
    CHECK(gates.enter("a", 0, 1, now + std::chrono::minutes(59)));
    CHECK(gates.enter("a", 0, 2, now + std::chrono::minutes(61)));
    CHECK_FALSE(gates.enter("a", 0, 3, now + std::chrono::minutes(61)));
  }
}

TEST_CASE(
    "a message that was acknowledged and not kept is told as such, and another producer comes") {
  Mocks mocks;
  mocks.make_topic("events", 1);
  Kafka kafka(mocks.servers());
  Received received;
  const auto subscription = kafka.broker->subscribe("events", {0}, received);
  REQUIRE(subscription.ok());
  REQUIRE(kafka.publish(message("events", "first")) == PublishOutcome::acked);
  mocks.fail_produce({RD_KAFKA_RESP_ERR_DUPLICATE_SEQUENCE_NUMBER});
  std::string why;
  CHECK(kafka.publish(message("events", "second"), &why) == PublishOutcome::unknown);
  CHECK(why == "Kafka acknowledged the message and did not keep it");
  CHECK(kafka.publish(message("events", "second")) == PublishOutcome::acked);
  CHECK(kafka.services.metric("vouch_kafka_replaced_producers_total") == 1);
}

TEST_CASE("acknowledged offsets of a partition rise, or are not believed") {
  AckedOffsets acked;
  CHECK(acked.take("a", 0, 0));
  CHECK(acked.take("a", 0, 1));
  CHECK(acked.take("a", 2, 0));
  CHECK(acked.take("b", 0, 0));
  CHECK(acked.take("a", 0, 7));
  CHECK_FALSE(acked.take("a", 0, 7));
  CHECK_FALSE(acked.take("a", 0, 2));
  CHECK_FALSE(acked.take("a", 0, RD_KAFKA_OFFSET_INVALID));
  CHECK_FALSE(acked.take("a", RD_KAFKA_PARTITION_UA, 9));
  CHECK(acked.take("a", 0, 8));
  acked.clear();
  CHECK(acked.take("a", 0, 0));
}

TEST_CASE("a refusal by the broker is told with its reason") {
  Mocks mocks;
  mocks.make_topic("events", 1);
  Kafka kafka(mocks.servers());
  REQUIRE(kafka.publish(message("events", "first")) == PublishOutcome::acked);
  std::string why;
  mocks.fail_produce({RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED});
  CHECK(kafka.publish(message("events", "x"), &why) == PublishOutcome::rejected);
  CHECK(why == "not authorised to write to topic events");
  // It is asked again: a right may have been given.
  for (int i = 0; i < 50 && why != ""; ++i) {
    kafka.publish(message("events", "x"), &why);
    std::this_thread::sleep_for(50ms);
  }
  CHECK(why.empty());
  // A request that is too large says nothing about a message, until it is alone in its request.
  mocks.fail_produce({RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE});
  CHECK(kafka.publish(message("events", "y"), &why) == PublishOutcome::unknown);
  INFO(why);
  CHECK(kafka.publish(message("events", "y"), &why) == PublishOutcome::acked);
  mocks.fail_produce({RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE});
  CHECK(kafka.publish(message("events", "z"), &why) == PublishOutcome::rejected);
  CHECK(why.find("max.message.bytes") != std::string::npos);
}

TEST_CASE("a producer that can't go on is replaced, and nothing that waited is lost") {
  Mocks mocks;
  mocks.make_topic("events", 1);
  Kafka kafka(mocks.servers());
  REQUIRE(kafka.publish(message("events", "first")) == PublishOutcome::acked);
  for (int round = 0; round < 3; ++round) {
    std::vector<Message> all(50, message("events", "x"));
    Outcomes outcomes(all.size());
    REQUIRE(kafka.broker->publish(all, 20s, outcomes).ok());
    kafka.broker->outbound().fail_for_good();
    for (const PublishOutcome outcome : outcomes.wait()) CHECK(outcome == PublishOutcome::acked);
  }
  CHECK(kafka.publish(message("events", "last")) == PublishOutcome::acked);
}

TEST_CASE("an address where nobody listens: unknown at the deadline, and health says why") {
  Kafka kafka("127.0.0.1:1");
  std::string why;
  CHECK(kafka.publish(message("events", "x"), &why, 500ms) == PublishOutcome::unknown);
  const Status status = kafka.broker->ensure({}, 500ms);
  CHECK(status.code() == StatusCode::unavailable);
  const Health health = kafka.broker->health();
  CHECK_FALSE(health.ok);
  INFO(health.detail);
  CHECK(health.detail.find("127.0.0.1:1: ") == 0);
  CHECK(health.detail.find("refused") != std::string::npos);
}

TEST_CASE("topics of Kafka itself: created, refused in words, too large for their limit") {
  const char* servers = std::getenv("VOUCH_TEST_KAFKA");
  if (servers == nullptr || *servers == '\0') {
    std::cout << "SKIPPED: VOUCH_TEST_KAFKA is not set; scripts/services up starts a broker\n";
    return;
  }
  const std::string run = std::to_string(std::random_device{}());
  const std::string small = "small." + run;
  const std::string missing = "missing." + run;
  {
    Kafka kafka(servers, {{"outbound_partitions", "2"}});
    const TopicSpec two{small, 2};
    REQUIRE(kafka.broker->ensure({&two, 1}, 20s).ok());
    const TopicSpec eight{small, 8};
    const Status few = kafka.broker->ensure({&eight, 1}, 20s);
    CHECK(few.code() == StatusCode::failed_precondition);
    CHECK(few.message().find("has 2 partitions, and 8 are needed") != std::string::npos);
  }
  {
    Kafka kafka(servers, {{"create_topics", "false"}});
    const TopicSpec eight{missing, 8};
    const Status none = kafka.broker->ensure({&eight, 1}, 20s);
    CHECK(none.code() == StatusCode::failed_precondition);
    CHECK(none.message() == "topic " + missing +
                                " does not exist; create it with 8 partitions or more, or set "
                                "create_topics: true");
  }
  {
    Kafka kafka(servers, {{"replication_factor", "3"}});
    const TopicSpec one{missing, 1};
    const Status replicas = kafka.broker->ensure({&one, 1}, 20s);
    CHECK(replicas.code() == StatusCode::failed_precondition);
    CHECK(replicas.message().find("replication") != std::string::npos);
  }
  {
    // The broker takes 1 MB of a request by default: a message of 2 MB is refused by it.
    Kafka kafka(servers, {{"max_message_bytes", "4MiB"}, {"compression", "none"}});
    const std::string large(2'000'000, 'x');
    std::string why;
    CHECK(kafka.publish(message(small, large), &why) == PublishOutcome::unknown);
    CHECK(kafka.publish(message(small, "fits"), &why) == PublishOutcome::acked);
    CHECK(kafka.publish(message(small, large), &why) == PublishOutcome::rejected);
    CHECK(why.find("max.message.bytes") != std::string::npos);
  }
}

TEST_CASE("topics of a trial are deleted, others are not") {
  const char* servers = std::getenv("VOUCH_TEST_KAFKA");
  if (servers == nullptr || *servers == '\0') {
    std::cout << "SKIPPED: VOUCH_TEST_KAFKA is not set; scripts/services up starts a broker\n";
    return;
  }
  const std::string run = std::to_string(std::random_device{}());
  const std::string trial = "vouch-prove-" + run + ".events";
  const std::string users = "users." + run;
  Kafka kafka(servers, {{"outbound_partitions", "1"}});
  const TopicSpec topics[] = {{trial, 1}, {users, 1}};
  REQUIRE(kafka.broker->ensure(topics, 20s).ok());
  auto* const scratch = static_cast<ScratchTopics*>(kafka.broker->query(ScratchTopics::kInterface));
  REQUIRE(scratch != nullptr);
  CHECK(scratch->remove(std::vector{trial, users}, 20s).code() == StatusCode::failed_precondition);
  CHECK(scratch->remove(std::vector<std::string>{}, 20s).ok());
  const Status removed = scratch->remove(std::vector{trial}, 20s);
  INFO(removed.to_string());
  CHECK(removed.ok());
  CHECK(scratch->remove(std::vector{trial}, 20s).ok());
  // The other one is there still: a broker that creates nothing finds it.
  Kafka strict(servers, {{"create_topics", "false"}});
  CHECK(strict.broker->ensure({&topics[1], 1}, 20s).ok());
  CHECK_FALSE(strict.broker->ensure({&topics[0], 1}, 5s).ok());
}

}  // namespace
}  // namespace vouch::kafka
