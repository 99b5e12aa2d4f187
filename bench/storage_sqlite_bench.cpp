// How many events a second one lane of storage-sqlite stages and commits, by group size, and what
// reading them back costs. Usage: bench_storage_sqlite [DIRECTORY] [SECONDS per measurement]
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "sqlite_storage.h"
#include "vouch/testkit/test_services.h"

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

void demand(const vouch::Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "%s\n", status.to_string().c_str());
  std::exit(1);
}

/// Ids as hosts make them: rising seconds, then random bytes.
vouch::EventId next_id() {
  static std::mt19937_64 random{std::random_device{}()};
  static std::uint32_t second = 300'000'000;
  static std::uint32_t in_second = 0;
  if (++in_second % 20'000 == 0) ++second;
  vouch::EventId id;
  for (std::size_t i = 0; i < 4; ++i) {
    id.bytes[i] = static_cast<std::uint8_t>(second >> (24 - 8 * i));
  }
  for (std::size_t i = 4; i < vouch::EventId::kBytes; ++i) {
    id.bytes[i] = static_cast<std::uint8_t>(random());
  }
  return id;
}

std::vector<vouch::Append> group_of(std::size_t size, std::uint32_t partitions,
                                    std::uint64_t& counter) {
  const std::string payload = "{\"note\":\"" + std::string(240, 'x') + "\"}";
  std::vector<vouch::Append> appends(size);
  for (vouch::Append& append : appends) {
    vouch::Write write;
    const std::string name = "cart-" + std::to_string(++counter % 10'000);
    write.stream = vouch::StreamName::unchecked(name);
    write.partition = vouch::partition_of(name, partitions);
    write.events.push_back(
        {next_id(), "item-added", {1'700'000'000'000'000}, "application/json", payload, ""});
    append.writes.push_back(std::move(write));
  }
  return appends;
}

class CountingSink final : public vouch::FeedSink {
 public:
  bool event(const vouch::EventView& event, std::string_view /*after*/) override {
    bytes += event.data.size();
    ++events;
    return true;
  }
  std::uint64_t events = 0;
  std::uint64_t bytes = 0;
};

void measure_appends(vouch::Lane& lane, vouch::Ledger& ledger, std::uint32_t partitions,
                     std::size_t size, double seconds) {
  static std::uint64_t counter = 0;
  std::uint64_t events = 0;
  double staging = 0;
  const auto start = Clock::now();
  while (seconds_since(start) < seconds) {
    const auto appends = group_of(size, partitions, counter);
    const auto before = Clock::now();
    const auto group = lane.stage(appends);
    demand(group.status());
    staging += seconds_since(before);
    demand(lane.commit().reason);
    std::vector<vouch::DeliveryId> ids;
    for (const vouch::Delivery& delivery : group->deliveries) ids.push_back(delivery.id);
    demand(ledger.complete(ids));
    events += size;
  }
  const double took = seconds_since(start);
  const double count = static_cast<double>(events);
  std::printf("groups of %3zu: %8.0f events/s, %7.1f us a group, staging %5.1f us an event\n", size,
              count / took, took * 1e6 * static_cast<double>(size) / count, staging * 1e6 / count);
}

void measure_feed(vouch::Reader& reader) {
  CountingSink sink;
  vouch::FeedQuery query;
  query.limit = 5'000;
  const auto start = Clock::now();
  for (bool at_end = false; !at_end;) {
    auto page = reader.feed(query, sink);
    demand(page.status());
    query.after = page->next;
    at_end = page->at_end;
  }
  const double took = seconds_since(start);
  std::printf("feed: %llu events, %.0f events/s\n", static_cast<unsigned long long>(sink.events),
              static_cast<double>(sink.events) / took);
}

}  // namespace

int main(int count, char** arguments) {
  const std::filesystem::path parent = count > 1 ? arguments[1] : ".";
  const double seconds = count > 2 ? std::atof(arguments[2]) : 3;
  const std::filesystem::path directory = parent / "storage_sqlite_bench";
  std::filesystem::remove_all(directory);

  constexpr std::uint32_t kPartitions = 8;
  vouch::testkit::TestServices services;
  vouch::sqlite::Options options;
  options.path = std::filesystem::absolute(directory / "bench.db").string();
  {
    vouch::sqlite::SqliteStorage storage(services, options);
    demand(storage.open());
    demand(storage.check());
    demand(storage.migrate({"bench", kPartitions}));
    {
      auto lane = storage.lane({0}, std::chrono::milliseconds(0));
      demand(lane.status());
      for (const std::size_t size : {1U, 10U, 100U, 500U}) {
        measure_appends(**lane, storage.ledger(), kPartitions, size, seconds);
      }
    }
    measure_feed(storage.reader());
    storage.close();
  }
  std::filesystem::remove_all(directory);
  return 0;
}
