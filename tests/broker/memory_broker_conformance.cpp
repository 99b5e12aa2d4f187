// The conformance suite against MemoryBroker.
#include "broker_fixture.h"
#include "vouch/testkit/memory_broker.h"

namespace vouch::tests {
namespace {

class MemoryUnderTest final : public conformance::BrokerUnderTest {
 public:
  MemoryUnderTest() { REQUIRE(broker_.open().ok()); }
  ~MemoryUnderTest() override { faults_.clear(); }

  Broker& broker() override { return broker_; }
  void close() override { broker_.close(); }
  void withhold() override {
    faults_.decide([](testkit::Step step) {
      return step == testkit::Step::publish_outbound ? testkit::Fault::stall : testkit::Fault::none;
    });
  }
  void release() override { faults_.clear(); }
  std::size_t more_than_buffer() override { return 11'000; }

 private:
  testkit::Faults faults_;
  testkit::MemoryExchange exchange_{faults_};
  testkit::MemoryBroker broker_{exchange_};
};

const BrokerTests kMemory("memory", [] { return std::make_unique<MemoryUnderTest>(); });

}  // namespace
}  // namespace vouch::tests
