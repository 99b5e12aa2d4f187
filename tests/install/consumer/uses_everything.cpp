// Uses something of each library for tests, so that all of them must link from where they are
// installed. Ends with 0 if what came back makes sense.
#include <cstdio>

#include "vouch/conformance/broker_suite.h"
#include "vouch/conformance/storage_suite.h"
#include "vouch/staging/partition_list.h"
#include "vouch/testkit/memory_broker.h"
#include "vouch/testkit/memory_storage.h"
#include "vouch/testkit/test_services.h"

int main() {
  vouch::testkit::Faults faults;
  vouch::testkit::MemoryDatabase database;
  vouch::testkit::MemoryStorage storage(database, faults);
  vouch::testkit::TestServices services;
  services.logger().info("installed");
  const bool opened = storage.open().ok();
  const std::size_t cases =
      vouch::conformance::storage_cases().size() + vouch::conformance::broker_cases().size();
  std::printf("%zu cases\n", cases);
  const bool read = vouch::staging::read_partition_list("0,3").size() == 2;
  return opened && read && cases > 10 && services.log_lines().size() == 1 ? 0 : 1;
}
