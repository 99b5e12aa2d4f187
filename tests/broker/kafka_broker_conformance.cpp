// The conformance suite against the broker-kafka plugin: on the Kafka that VOUCH_TEST_KAFKA names,
// and on the cluster of mocks in librdkafka, which needs nothing but can't create topics.
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include <cstdlib>
#include <random>
#include <thread>

#include "broker_fixture.h"
#include "vouch/conformance/plugin_library.h"
#include "vouch/testkit/test_services.h"

namespace vouch::tests {
namespace {

using conformance::CaseSkipped;
using conformance::PluginLibrary;
using conformance::PluginObject;

const PluginLibrary& kafka_library() {
  static const PluginLibrary library(VOUCH_TEST_PLUGIN_DIRECTORY "/broker-kafka.so",
                                     PluginKind::broker);
  return library;
}

class KafkaUnderTest : public conformance::BrokerUnderTest {
 public:
  explicit KafkaUnderTest(const std::string& servers)
      : broker_(kafka_library(), services_,
                testkit::make_settings(kafka_library().settings(),
                                       {{"bootstrap_servers", values::TextList{servers}},
                                        {"outbound_partitions", "1"},
                                        {"buffer", "2000"},
                                        {"max_message_bytes", "1000000"}})) {
    Status status = broker_->open();
    INFO(status.to_string());
    REQUIRE(status.ok());
    status = broker_->ensure({}, std::chrono::seconds(20));
    INFO(status.to_string());
    REQUIRE(status.ok());
  }
  ~KafkaUnderTest() override { broker_->close(); }

  Broker& broker() override { return *broker_; }
  void close() override { broker_->close(); }
  std::string oversized() override { return std::string(1'500'000, 'x'); }
  std::string refused_topic() override { return "not a topic: of Kafka"; }

 private:
  testkit::TestServices services_;
  PluginObject<Broker> broker_;
};

class RealKafka final : public KafkaUnderTest {
 public:
  using KafkaUnderTest::KafkaUnderTest;
  std::string topic(const std::string& name) override {
    // The server is shared by all cases and runs.
    return "conformance." + name + "." + run_;
  }

 private:
  const std::string run_ = std::to_string(std::random_device{}());
};

class MockCluster {
 public:
  MockCluster()
      : client_(rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), nullptr, 0)),
        cluster_(rd_kafka_mock_cluster_new(client_, 1)) {}
  MockCluster(const MockCluster&) = delete;
  MockCluster& operator=(const MockCluster&) = delete;
  ~MockCluster() {
    rd_kafka_mock_cluster_destroy(cluster_);
    rd_kafka_destroy(client_);
  }
  [[nodiscard]] std::string servers() const { return rd_kafka_mock_cluster_bootstraps(cluster_); }
  void make_topic(const std::string& name, int partitions) {
    rd_kafka_mock_topic_create(cluster_, name.c_str(), partitions, 1);
  }
  /// Connections break, and no new ones are taken for a while. What it holds is kept.
  void stay_down(std::chrono::milliseconds time) {
    rd_kafka_mock_broker_set_down(cluster_, 1);
    std::this_thread::sleep_for(time);
    rd_kafka_mock_broker_set_up(cluster_, 1);
  }
  void answer_after(int milliseconds) { rd_kafka_mock_broker_set_rtt(cluster_, 1, milliseconds); }

 private:
  rd_kafka_t* const client_;
  rd_kafka_mock_cluster_t* const cluster_;
};

/// Made before the broker that connects to it, and gone after it.
struct HasMocks {
  MockCluster mocks;
};

class MockKafka final : private HasMocks, public KafkaUnderTest {
 public:
  MockKafka() : KafkaUnderTest(mocks.servers()) {}
  ~MockKafka() override { mocks.answer_after(0); }

  std::string topic(const std::string& name) override {
    const bool of_one = name == "keyed";
    mocks.make_topic("conformance." + name, of_one ? 1 : 8);
    return "conformance." + name;
  }
  void withhold() override { mocks.answer_after(60'000); }
  void release() override { mocks.answer_after(0); }
  std::size_t more_than_buffer() override { return 4'000; }
  void cut() override { mocks.stay_down(std::chrono::milliseconds(20)); }
  void restart() override { mocks.stay_down(std::chrono::milliseconds(300)); }
};

const BrokerTests kReal("broker-kafka", []() -> std::unique_ptr<conformance::BrokerUnderTest> {
  const char* servers = std::getenv("VOUCH_TEST_KAFKA");
  if (servers == nullptr || *servers == '\0') {
    throw CaseSkipped("SKIPPED: VOUCH_TEST_KAFKA is not set; scripts/services up starts a broker");
  }
  return std::make_unique<RealKafka>(servers);
});
const BrokerTests kMock("broker-kafka on mocks", [] { return std::make_unique<MockKafka>(); });

}  // namespace
}  // namespace vouch::tests
