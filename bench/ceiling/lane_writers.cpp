#include "lane_writers.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <set>
#include <stdexcept>
#include <thread>

namespace vouch::bench {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

}  // namespace

void add_options(CLI::App& app, CeilingOptions& options) {
  app.add_option("--seconds", options.seconds)->capture_default_str();
  app.add_option("--lanes", options.lanes, "sessions that write at once")->capture_default_str();
  app.add_option("--group", options.group, "events in one transaction")->capture_default_str();
  app.add_option("--events", options.events, "events in a row on one stream; divides the group")
      ->capture_default_str();
  app.add_option("--streams", options.streams)->capture_default_str();
  app.add_option("--payload", options.payload, "bytes of data in one event")
      ->check(CLI::Range(34, 1 << 20))
      ->capture_default_str();
  app.add_flag("--plugin", options.plugin, "through the plugin instead of straight");
}

void demand(const Status& status) {
  if (!status.ok()) throw std::runtime_error(status.to_string());
}

Groups::Groups(const CeilingOptions& options, std::uint32_t lane)
    : options_(options), lane_(lane), versions_(options.streams / options.lanes + 1) {
  random_.seed(lane + 1);
  data_ = R"({"sent":1234567890123456,"pad":")" + std::string(options.payload - 34, 'x') + "\"}";
}

std::vector<Append> Groups::next() {
  std::set<std::size_t> streams;
  while (streams.size() * options_.events < options_.group) {
    streams.insert(random_() % versions_.size());
  }
  std::vector<Append> group;
  group.reserve(streams.size());
  for (const std::size_t stream : streams) {
    const std::string name = "account-" + std::to_string(lane_) + "-" + std::to_string(stream);
    Write write;
    write.stream = StreamName::unchecked(name);
    write.partition = partition_of(name, kPartitions);
    write.known_head = Version{versions_[stream]};
    for (std::uint32_t i = 0; i < options_.events; ++i) {
      write.events.push_back({next_id(), "deposited", {1}, "application/json", data_, ""});
    }
    versions_[stream] += options_.events;
    group.emplace_back().writes.push_back(std::move(write));
  }
  return group;
}

EventId Groups::next_id() {
  EventId id;
  const std::uint64_t number = (std::uint64_t{lane_} << 56U) | ++ids_;
  for (std::size_t i = 0; i < 8; ++i) {
    id.bytes[12 + i] = static_cast<std::uint8_t>(number >> (56 - 8 * i));
    id.bytes[3 - i % 4] = static_cast<std::uint8_t>(ids_ >> 18U >> (8 * (i % 4)));
  }
  return id;
}

std::vector<const Write*> by_partition(const std::vector<Append>& group) {
  std::vector<const Write*> writes;
  writes.reserve(group.size());
  for (const Append& append : group) writes.push_back(&append.writes[0]);
  std::ranges::stable_sort(writes, {}, [](const Write* write) { return write->partition.value; });
  return writes;
}

WriteGroup through(std::unique_ptr<Lane> opened) {
  const std::shared_ptr<Lane> lane = std::move(opened);
  return [lane](const std::vector<Append>& group) {
    const auto staged = lane->stage(group);
    demand(staged.status());
    for (const StageResult& result : staged->results) {
      if (result.outcome != StageOutcome::staged) throw std::runtime_error("not staged");
    }
    demand(lane->commit().reason);
  };
}

void run_lanes(const CeilingOptions& options, const std::vector<WriteGroup>& writers) {
  std::atomic<std::uint64_t> groups{0};
  std::vector<std::thread> threads;
  const auto start = Clock::now();
  for (std::uint32_t lane = 0; lane < writers.size(); ++lane) {
    threads.emplace_back([&, lane] {
      try {
        Groups source(options, lane);
        while (seconds_since(start) < options.seconds) {
          writers[lane](source.next());
          ++groups;
        }
      } catch (const std::exception& error) {
        std::fprintf(stderr, "lane %u: %s\n", lane, error.what());
        std::_Exit(1);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const double took = seconds_since(start);
  std::printf(
      "{\"writer\":\"%s\",\"lanes\":%u,\"group\":%u,\"events_per_request\":%u,\"payload\":%u,"
      "\"seconds\":%.1f,\"events_per_second\":%.0f}\n",
      options.plugin ? "plugin" : "bare", options.lanes, options.group, options.events,
      options.payload, took, static_cast<double>(groups * options.group) / took);
}

}  // namespace vouch::bench
