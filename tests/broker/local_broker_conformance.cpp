// The conformance suite against the broker-local plugin, loaded as a host loads it.
#include "broker_fixture.h"
#include "vouch/conformance/plugin_library.h"
#include "vouch/testkit/test_services.h"

namespace vouch::tests {
namespace {

using conformance::PluginLibrary;
using conformance::PluginObject;

const PluginLibrary& local_library() {
  static const PluginLibrary library(VOUCH_TEST_PLUGIN_DIRECTORY "/broker-local.so",
                                     PluginKind::broker);
  return library;
}

class LocalUnderTest final : public conformance::BrokerUnderTest {
 public:
  LocalUnderTest()
      : broker_(local_library(), services_,
                testkit::make_settings(local_library().settings(), {{"queue_messages", "1000"}})) {
    const Status status = broker_->open();
    INFO(status.to_string());
    REQUIRE(status.ok());
  }
  ~LocalUnderTest() override { broker_->close(); }

  Broker& broker() override { return *broker_; }
  void close() override { broker_->close(); }
  std::string oversized() override { return std::string(17U << 20U, 'x'); }
  std::string refused_topic() override { return {}; }
  std::size_t more_than_subscription() override { return 3'000; }

 private:
  testkit::TestServices services_;
  PluginObject<Broker> broker_;
};

const BrokerTests kLocal("broker-local", [] { return std::make_unique<LocalUnderTest>(); });

}  // namespace
}  // namespace vouch::tests
