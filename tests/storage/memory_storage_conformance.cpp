// The conformance suite against MemoryStorage, with any number of lanes and with one.
#include <vector>

#include "storage_fixture.h"
#include "vouch/testkit/memory_storage.h"

namespace vouch::tests {
namespace {

class MemoryUnderTest final : public conformance::StorageUnderTest {
 public:
  explicit MemoryUnderTest(std::uint32_t max_lanes)
      : options_{max_lanes, std::chrono::milliseconds(300)} {
    start();
  }

  Storage& storage() override { return *hosts_.back(); }
  void reopen() override {
    hosts_.back()->close();
    start();
  }
  void crash() override {
    hosts_.back()->crash();
    start();
  }

 private:
  void start() {
    hosts_.push_back(std::make_unique<testkit::MemoryStorage>(database_, faults_, options_));
    REQUIRE(hosts_.back()->open().ok());
    REQUIRE(hosts_.back()->migrate(identity()).ok());
  }

  testkit::MemoryDatabase database_;
  testkit::Faults faults_;
  testkit::MemoryStorageOptions options_;
  std::vector<std::unique_ptr<testkit::MemoryStorage>> hosts_;  ///< the last one lives
};

const StorageTests kManyLanes("memory", [] { return std::make_unique<MemoryUnderTest>(0); });
const StorageTests kOneLane("memory with one lane",
                            [] { return std::make_unique<MemoryUnderTest>(1); });

}  // namespace
}  // namespace vouch::tests
