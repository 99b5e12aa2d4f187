// The suite for brokers, as cases with stable ids. A runner makes a fresh BrokerUnderTest for each
// case, ideally in a process of its own. The fixture is called from one thread.
#pragma once

#include <string>
#include <vector>

#include "vouch/broker.h"
#include "vouch/conformance/case.h"

namespace vouch::conformance {

/// A broker with topics that nobody else uses. One class for each kind of broker.
class BrokerUnderTest {
 public:
  BrokerUnderTest() = default;
  BrokerUnderTest(const BrokerUnderTest&) = delete;
  BrokerUnderTest& operator=(const BrokerUnderTest&) = delete;
  virtual ~BrokerUnderTest() = default;

  /// Open and connected.
  virtual Broker& broker() = 0;

  /// Closes the broker for good. Pre: all subscriptions are destroyed.
  virtual void close() = 0;

  /// A topic's name that no other case uses.
  virtual std::string topic(const std::string& name) { return "conformance." + name; }

  /// From now on the broker acknowledges nothing, until `release`. Skips when it can't.
  virtual void withhold() { throw CaseSkipped("the fixture can't withhold acknowledgements"); }
  virtual void release() {}

  /// More messages than the broker's bounded buffer takes while acknowledgements are withheld.
  virtual std::size_t more_than_buffer() {
    throw CaseSkipped("the fixture does not know the size of the broker's buffer");
  }

  /// More messages than a subscription's bounded buffer takes while its sink is busy.
  virtual std::size_t more_than_subscription() {
    throw CaseSkipped("the broker does not drop messages of a slow subscriber");
  }

  /// Every connection to the broker breaks; the broker lives.
  virtual void cut() { throw CaseSkipped("the fixture can't cut connections"); }

  /// The broker dies as by kill -9, and comes back at the same address.
  virtual void restart() { throw CaseSkipped("the fixture can't restart the broker"); }

  /// A payload that the broker refuses for good.
  virtual std::string oversized() { throw CaseSkipped("the fixture knows no payload too large"); }

  /// A topic to which nothing can ever be published.
  virtual std::string refused_topic() { throw CaseSkipped("the fixture knows no illegal topic"); }
};

struct BrokerCase {
  const char* id;        ///< stable, for example "broker.publish.acked_is_delivered"
  const char* sentence;  ///< what is promised
  void (*run)(BrokerUnderTest&);
};

/// All cases, in a sensible order.
std::vector<BrokerCase> broker_cases();

}  // namespace vouch::conformance
