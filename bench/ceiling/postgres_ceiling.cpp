// ceiling-postgres: the rows that Vouch writes, written straight into the same schema by one thread
// for each lane, in groups of a fixed size: one round trip with BEGIN, the ledger rows and the
// events, one with COMMIT. No HTTP, no broker, no saga, no look at what is there. With --plugin the
// same groups go through the plugin's `stage` and `commit`. Prints one JSON object.
#include <CLI/CLI.hpp>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "postgres_storage.h"
#include "session.h"
#include "vouch/testkit/test_services.h"

namespace {

using Clock = std::chrono::steady_clock;
using vouch::postgres::Array;
using vouch::postgres::ArrayType;
using vouch::postgres::Parameters;
using vouch::postgres::Sql;

constexpr std::uint32_t kPartitions = 8;

struct CeilingOptions {
  std::string uri;
  std::string schema = "vouch_ceiling";
  double seconds = 5;
  std::uint32_t lanes = 4;
  std::uint32_t group = 100;
  std::uint32_t events = 1;  ///< on one stream, as one request has them
  std::uint32_t streams = 100'000;
  std::uint32_t payload = 256;
  bool plugin = false;
};

// The plugin's own insert without its guard and without its answer.
constexpr Sql kBegin{"begin", "BEGIN"};
constexpr Sql kCommit{"commit", "COMMIT"};
constexpr Sql kInsert{
    "insert_group",
    "WITH d AS (INSERT INTO deliveries (partition, lane, batch, native, first_place, last_place, "
    "events, written) SELECT p, $1, $2, '', f, l, (l - f + 1)::integer, $3 "
    "FROM unnest($4, $5, $6) AS t(p, f, l) RETURNING number, partition) "
    "INSERT INTO events (stream, version, id, type, time, content_type, data, metadata, lane, "
    "place, delivery) SELECT e.stream, e.version, e.id, 'deposited', $3, 'application/json', "
    "e.data, '', $1, e.place, d.number "
    "FROM unnest($7, $8, $9, $10, $11, $12) AS e(partition, stream, version, id, data, place) "
    "JOIN d ON d.partition = e.partition ORDER BY e.place"};

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

void demand(const vouch::Status& status) {
  if (!status.ok()) throw std::runtime_error(status.to_string());
}

/// Groups of one lane. Lanes share no stream, as in a host.
class Groups {
 public:
  Groups(const CeilingOptions& options, std::uint32_t lane)
      : options_(options), lane_(lane), versions_(options.streams / options.lanes + 1) {
    random_.seed(lane + 1);
    data_ = R"({"sent":1234567890123456,"pad":")" + std::string(options.payload - 34, 'x') + "\"}";
  }

  std::vector<vouch::Append> next() {
    std::map<std::string, vouch::Append> appends;
    while (appends.size() * options_.events < options_.group) {
      const std::size_t stream = random_() % versions_.size();
      const std::string name = "account-" + std::to_string(lane_) + "-" + std::to_string(stream);
      if (appends.contains(name)) continue;
      vouch::Write write;
      write.stream = vouch::StreamName::unchecked(name);
      write.partition = vouch::partition_of(name, kPartitions);
      write.known_head = vouch::Version{versions_[stream]};
      for (std::uint32_t i = 0; i < options_.events; ++i) {
        write.events.push_back({next_id(), "deposited", {1}, "application/json", data_, ""});
      }
      versions_[stream] += options_.events;
      appends[name].writes.push_back(std::move(write));
    }
    std::vector<vouch::Append> group;
    group.reserve(appends.size());
    for (auto& [name, append] : appends) group.push_back(std::move(append));
    return group;
  }

 private:
  vouch::EventId next_id() {
    vouch::EventId id;
    const std::uint64_t number = (std::uint64_t{lane_} << 56U) | ++ids_;
    for (std::size_t i = 0; i < 8; ++i) {
      id.bytes[12 + i] = static_cast<std::uint8_t>(number >> (56 - 8 * i));
      id.bytes[3 - i % 4] = static_cast<std::uint8_t>(ids_ >> 18U >> (8 * (i % 4)));
    }
    return id;
  }

  const CeilingOptions& options_;
  const std::uint32_t lane_;
  std::vector<std::uint64_t> versions_;
  std::string data_;
  std::mt19937 random_;
  std::uint64_t ids_ = 0;
};

/// What the plugin would send for the group, sorted as it would.
Parameters insert_of(const std::vector<vouch::Append>& group, std::uint32_t lane,
                     std::int64_t batch, std::int64_t& place) {
  std::multimap<std::uint32_t, const vouch::Write*> writes;
  for (const vouch::Append& append : group) {
    writes.emplace(append.writes[0].partition.value, &append.writes[0]);
  }
  Array parts(ArrayType::int4);
  Array firsts(ArrayType::int8);
  Array lasts(ArrayType::int8);
  Array partitions(ArrayType::int4);
  Array streams(ArrayType::text);
  Array versions(ArrayType::int8);
  Array ids(ArrayType::bytes);
  Array data(ArrayType::bytes);
  Array places(ArrayType::int8);
  for (auto write = writes.begin(); write != writes.end(); ++write) {
    if (write == writes.begin() || std::prev(write)->first != write->first) {
      parts.add4(static_cast<std::int32_t>(write->first));
      firsts.add(place + 1);
    }
    std::uint64_t version = write->second->known_head->value;
    for (const vouch::NewEvent& event : write->second->events) {
      partitions.add4(static_cast<std::int32_t>(write->first));
      streams.add(write->second->stream.view());
      versions.add(static_cast<std::int64_t>(++version));
      ids.add(event.id.view());
      data.add(event.data);
      places.add(++place);
    }
    if (std::next(write) == writes.end() || std::next(write)->first != write->first) {
      lasts.add(place);
    }
  }
  Parameters parameters;
  parameters.number4(lane).number8(batch).number8(1);
  parameters.array(std::move(parts)).array(std::move(firsts)).array(std::move(lasts));
  parameters.array(std::move(partitions)).array(std::move(streams)).array(std::move(versions));
  parameters.array(std::move(ids)).array(std::move(data)).array(std::move(places));
  return parameters;
}

using Write = std::function<void(const std::vector<vouch::Append>&)>;

void run_lane(const CeilingOptions& options, std::uint32_t lane, const Write& write,
              std::atomic<std::uint64_t>& groups) {
  Groups source(options, lane);
  const auto start = Clock::now();
  while (seconds_since(start) < options.seconds) {
    write(source.next());
    ++groups;
  }
}

Write straight(const vouch::postgres::Options& options, std::uint32_t lane) {
  auto session = std::make_shared<vouch::postgres::Session>(options, "ceiling");
  auto place = std::make_shared<std::int64_t>(0);
  auto batch = std::make_shared<std::int64_t>(0);
  return [=](const std::vector<vouch::Append>& group) {
    std::vector<vouch::postgres::Step> steps;
    steps.push_back({&kBegin, {}});
    steps.push_back({&kInsert, insert_of(group, lane, ++*batch, *place)});
    session->run(std::move(steps));
    session->run(kCommit);
  };
}

Write through(std::unique_ptr<vouch::Lane> opened) {
  const std::shared_ptr<vouch::Lane> lane = std::move(opened);
  return [lane](const std::vector<vouch::Append>& group) {
    const auto staged = lane->stage(group);
    demand(staged.status());
    for (const vouch::StageResult& result : staged->results) {
      if (result.outcome != vouch::StageOutcome::staged) throw std::runtime_error("not staged");
    }
    demand(lane->commit().reason);
  };
}

void measure(const CeilingOptions& options) {
  vouch::testkit::TestServices services;
  const auto settings = vouch::postgres::options_from(vouch::testkit::make_settings(
      vouch::postgres::kSettings, {{"uri", options.uri}, {"schema", options.schema}}));
  vouch::postgres::Session admin(settings, "ceiling");
  admin.execute("SET client_min_messages = warning; DROP SCHEMA IF EXISTS \"" + options.schema +
                "\" CASCADE");
  // The plugin makes the tables, so that they are the same.
  vouch::postgres::PostgresStorage storage(services, settings);
  demand(storage.open());
  demand(storage.check());
  demand(storage.migrate({"bench", kPartitions}));
  std::vector<Write> writers;
  for (std::uint32_t lane = 0; lane < options.lanes; ++lane) {
    if (options.plugin) {
      auto opened = storage.lane({lane}, std::chrono::seconds(5));
      demand(opened.status());
      writers.push_back(through(*std::move(opened)));
    } else {
      writers.push_back(straight(settings, lane));
    }
  }
  std::atomic<std::uint64_t> groups{0};
  std::vector<std::thread> threads;
  const auto start = Clock::now();
  for (std::uint32_t lane = 0; lane < options.lanes; ++lane) {
    threads.emplace_back([&, lane] { run_lane(options, lane, writers[lane], groups); });
  }
  for (std::thread& thread : threads) thread.join();
  const double took = seconds_since(start);
  writers.clear();
  storage.close();
  admin.execute("DROP SCHEMA \"" + options.schema + "\" CASCADE");
  std::printf(
      "{\"writer\":\"%s\",\"lanes\":%u,\"group\":%u,\"events_per_request\":%u,\"payload\":%u,"
      "\"seconds\":%.1f,\"events_per_second\":%.0f}\n",
      options.plugin ? "plugin" : "bare", options.lanes, options.group, options.events,
      options.payload, took, static_cast<double>(groups * options.group) / took);
}

}  // namespace

int main(int argc, char** argv) {
  CeilingOptions options;
  CLI::App app("Writes Vouch's rows into PostgreSQL in groups; prints one JSON object.");
  app.add_option("--uri", options.uri, "the database, as libpq takes it")->required();
  app.add_option("--schema", options.schema, "dropped before and after")->capture_default_str();
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
  CLI11_PARSE(app, argc, argv);
  try {
    measure(options);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "ceiling-postgres: %s\n", error.what());
    return 1;
  }
  return 0;
}
