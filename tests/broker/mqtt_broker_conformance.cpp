// The conformance suite against the broker-mqtt plugin on a Mosquitto of each case's own, in both
// versions of the protocol.
#include <atomic>
#include <iostream>

#include "broker_fixture.h"
#include "mosquitto_server.h"
#include "tcp_proxy.h"
#include "vouch/conformance/plugin_library.h"
#include "vouch/testkit/test_services.h"

namespace vouch::tests {
namespace {

using conformance::PluginLibrary;
using conformance::PluginObject;

const PluginLibrary& mqtt_library() {
  static const PluginLibrary library(VOUCH_TEST_PLUGIN_DIRECTORY "/broker-mqtt.so",
                                     PluginKind::broker);
  return library;
}

class MqttUnderTest final : public conformance::BrokerUnderTest {
 public:
  explicit MqttUnderTest(const std::string& protocol)
      : broker_(
            mqtt_library(), services_,
            testkit::make_settings(mqtt_library().settings(),
                                   {{"uri", "mqtt://127.0.0.1:" + std::to_string(proxy_.port())},
                                    {"protocol", protocol},
                                    {"client_id", "under-test"},
                                    {"buffer", "2000"},
                                    {"queue_messages", "1000"},
                                    {"max_message_bytes", "2MiB"}})) {
    Status status = broker_->open();
    INFO(status.to_string());
    REQUIRE(status.ok());
    status = broker_->ensure({}, std::chrono::seconds(10));
    INFO(status.to_string());
    REQUIRE(status.ok());
  }
  ~MqttUnderTest() override {
    proxy_.silence(false);
    broker_->close();
  }

  Broker& broker() override { return *broker_; }
  void close() override { broker_->close(); }
  void withhold() override { proxy_.silence(true); }
  void release() override { proxy_.silence(false); }
  std::size_t more_than_buffer() override { return 4'000; }
  void cut() override { proxy_.cut(); }
  void restart() override {
    server_.kill();
    server_.start();
  }
  std::string oversized() override { return std::string(3U << 20U, 'x'); }
  std::string refused_topic() override { return "conformance/+/refused"; }
  std::size_t more_than_subscription() override { return 3'000; }

 private:
  MosquittoServer server_;
  TcpProxy proxy_{"127.0.0.1", server_.port()};
  testkit::TestServices services_;
  PluginObject<Broker> broker_;
};

BrokerTests tests_of(const std::string& protocol) {
  return BrokerTests("broker-mqtt " + protocol,
                     [protocol]() -> std::unique_ptr<conformance::BrokerUnderTest> {
                       if (!MosquittoServer::installed()) {
                         throw conformance::CaseSkipped(MosquittoServer::kNotInstalled);
                       }
                       return std::make_unique<MqttUnderTest>(protocol);
                     });
}

const BrokerTests kVersion5 = tests_of("5");
const BrokerTests kVersion311 = tests_of("3.1.1");

}  // namespace
}  // namespace vouch::tests
