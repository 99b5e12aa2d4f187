// How a storage becomes a set of tests: one fixture class and one StorageTests object for each, and
// every conformance case is a Catch2 test of its own, "<fixture>: <id of the case>".
#pragma once

#include <catch2/catch.hpp>
#include <functional>
#include <memory>
#include <string>

#include "vouch/conformance/storage_suite.h"

namespace vouch::tests {

using MakeStorage = std::function<std::unique_ptr<conformance::StorageUnderTest>()>;

/// Make one at namespace scope.
class StorageTests {
 public:
  StorageTests(const std::string& fixture, MakeStorage make);
};

}  // namespace vouch::tests
