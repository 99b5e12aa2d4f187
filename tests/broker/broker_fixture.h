// How a broker becomes a set of tests: one fixture class and one BrokerTests object for each, and
// every conformance case is a Catch2 test of its own, "<fixture>: <id of the case>".
#pragma once

#include <catch2/catch.hpp>
#include <functional>
#include <memory>
#include <string>

#include "vouch/conformance/broker_suite.h"

namespace vouch::tests {

using MakeBroker = std::function<std::unique_ptr<conformance::BrokerUnderTest>()>;

/// Make one at namespace scope.
class BrokerTests {
 public:
  BrokerTests(const std::string& fixture, MakeBroker make);
};

}  // namespace vouch::tests
