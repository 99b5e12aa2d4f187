// BrokerTrial: any broker plugin under the suite, on topics that no other case uses. What must be
// done to its server is done by a proxy and by the user's own command; without them the cases that
// need it are skipped. One thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "trial.h"
#include "vouch/conformance/broker_suite.h"

namespace vouch::conformance {

class BrokerTrial final : public BrokerUnderTest {
 public:
  /// Opens the broker and waits until it is connected. Throws ConformanceFailure.
  explicit BrokerTrial(Trial& trial);
  ~BrokerTrial() override;

  Broker& broker() override { return **broker_; }
  void close() override { (*broker_)->close(); }
  std::string topic(const std::string& name) override;
  void withhold() override;
  void release() override;
  std::size_t more_than_buffer() override { return 4'000'000; }  // ends at the first refusal
  std::size_t more_than_subscription() override;
  void cut() override;
  void restart() override;
  std::string oversized() override;
  std::string refused_topic() override { return {}; }

 private:
  /// The proxy, if connections go through it.
  proxy::Proxy& proxy();

  Trial& trial_;
  std::unique_ptr<proxy::Proxy> proxy_;
  std::unique_ptr<Made<Broker>> broker_;
  std::vector<std::string> topics_;
};

}  // namespace vouch::conformance
