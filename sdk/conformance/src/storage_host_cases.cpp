// Cases about the hosts that share a store. They skip where the storage does not list them.
#include <algorithm>
#include <thread>

#include "storage_cases.h"
#include "storage_kit.h"
#include "vouch/host_registry.h"

namespace vouch::conformance {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLong{60'000};

HostRegistry& registry_of(StorageUnderTest& under_test) {
  void* const found = under_test.storage().query(HostRegistry::kInterface);
  if (found == nullptr) {
    expect(!under_test.storage().capabilities().several_hosts,
           "asked for the list of hosts of a storage that several hosts may open", "a HostRegistry",
           "null");
    throw CaseSkipped("the storage keeps no list of hosts");
  }
  return *static_cast<HostRegistry*>(found);
}

std::string age_text(const SeenHost& seen) {
  return std::to_string(seen.age.count()) + " ms";
}

std::vector<std::uint32_t> numbers(const std::vector<Partition>& partitions) {
  std::vector<std::uint32_t> numbers;
  for (const Partition partition : partitions) numbers.push_back(partition.value);
  return numbers;
}

HostEntry host(const std::string& id, std::vector<Partition> owned) {
  HostEntry entry;
  entry.id = id;
  entry.name = "größer \"" + id + "\":7070";
  entry.owned = std::move(owned);
  entry.started = {1'700'000'000'000'001};
  return entry;
}

void announce(HostRegistry& registry, const HostEntry& entry, milliseconds forget_after = kLong) {
  expect_ok("announced a host", registry.announce(entry, forget_after));
}

std::vector<std::string> ids(HostRegistry& registry) {
  std::vector<std::string> found;
  for (const SeenHost& seen : expect_value("listed the hosts", registry.list())) {
    found.push_back(seen.host.id);
  }
  return found;
}

void everything_is_listed(StorageUnderTest& under_test) {
  HostRegistry& registry = registry_of(under_test);
  const std::vector<HostEntry> hosts{host("b~2", {{1}, {0}, {3}}), host("B", {}),
                                     host(std::string(64, 'z'), {{2}})};
  for (const HostEntry& one : hosts) announce(registry, one);
  const auto listed = expect_value("listed the hosts", registry.list());
  expect_equal("listed the hosts, how many", hosts.size(), listed.size());
  const std::vector<const HostEntry*> in_order{&hosts[1], &hosts[0], &hosts[2]};
  for (std::size_t i = 0; i < listed.size(); ++i) {
    const HostEntry& found = listed[i].host;
    expect_equal("a host's id", in_order[i]->id, found.id);
    expect_equal("its name", in_order[i]->name, found.name);
    expect_equal("when it started", in_order[i]->started.micros, found.started.micros);
    expect_equal("its partitions", numbers(in_order[i]->owned), numbers(found.owned));
    expect(listed[i].age >= milliseconds(0) && listed[i].age < milliseconds(10'000), "its age",
           "the time since it was announced", age_text(listed[i]));
  }
}

void announced_again_is_replaced(StorageUnderTest& under_test) {
  HostRegistry& registry = registry_of(under_test);
  announce(registry, host("a", {{1}, {2}}));
  std::this_thread::sleep_for(milliseconds(300));
  const auto before = expect_value("listed the hosts", registry.list());
  expect_equal("announced one, hosts", std::size_t{1}, before.size());
  expect(before[0].age >= milliseconds(250), "listed after 300 ms, the age", "about 300 ms",
         age_text(before[0]));
  HostEntry later = host("a", {{2}});
  later.name = "another";
  announce(registry, later);
  const auto after = expect_value("listed the hosts", registry.list());
  expect_equal("announced again, hosts", std::size_t{1}, after.size());
  expect(after[0].age < before[0].age, "announced again, the age",
         "less than before, " + age_text(before[0]), age_text(after[0]));
  expect_equal("announced again, the name", later.name, after[0].host.name);
  expect_equal("announced again, the partitions", numbers(later.owned),
               numbers(after[0].host.owned));
}

void gone_hosts_are_forgotten(StorageUnderTest& under_test) {
  HostRegistry& registry = registry_of(under_test);
  announce(registry, host("a", {}));
  announce(registry, host("b", {}));
  std::this_thread::sleep_for(milliseconds(400));
  announce(registry, host("c", {}));
  announce(registry, host("b", {}), milliseconds(200));
  expect_equal("announced with a short memory, who is left", std::vector<std::string>{"b", "c"},
               ids(registry));
  std::this_thread::sleep_for(milliseconds(400));
  announce(registry, host("b", {}), milliseconds(200));
  expect_equal("the one that announces is never forgotten", std::vector<std::string>{"b"},
               ids(registry));
}

void leaving_is_noticed(StorageUnderTest& under_test) {
  HostRegistry& registry = registry_of(under_test);
  announce(registry, host("a", {{0}}));
  announce(registry, host("b", {{1}}));
  expect_ok("left", registry.leave("a"));
  expect_ok("left once more", registry.leave("a"));
  expect_equal("left, who is left", std::vector<std::string>{"b"}, ids(registry));
}

void hosts_that_race(StorageUnderTest& under_test) {
  HostRegistry& registry = registry_of(under_test);
  on_threads(8, [&](std::uint32_t i) {
    for (int round = 0; round < 20; ++round) {
      announce(registry, host("host-" + std::to_string(i), {{i}}));
      const auto listed = ids(registry);
      expect(std::ranges::find(listed, "host-" + std::to_string(i)) != listed.end(),
             "announced host-" + std::to_string(i) + " and listed, beside others", "it among them",
             describe(listed));
    }
  });
  expect_equal("announced from eight threads, hosts", std::size_t{8}, ids(registry).size());
}

constexpr StorageCase kCases[] = {
    {"storage.hosts.everything_is_listed", "Hosts are listed with what they announced, by id.",
     everything_is_listed},
    {"storage.hosts.announced_again_is_replaced",
     "A host stands once, as it announced itself last, and its age is the time since.",
     announced_again_is_replaced},
    {"storage.hosts.gone_hosts_are_forgotten",
     "Hosts that were not announced for long are forgotten.", gone_hosts_are_forgotten},
    {"storage.hosts.leaving_is_noticed", "A host that leaves is forgotten at once.",
     leaving_is_noticed},
    {"storage.hosts.hosts_that_race", "Hosts announce themselves beside each other.",
     hosts_that_race},
};

}  // namespace

std::span<const StorageCase> host_cases() {
  return kCases;
}

}  // namespace vouch::conformance
