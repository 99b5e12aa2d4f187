// outbox-table: what a team builds that has no event store: the application writes each event into
// its table and into an outbox table in one transaction, straight over its own connections (no
// HTTP), and a poller takes rows out of the outbox in their order, publishes them to Kafka, waits
// for the acknowledgements and commits. Everything is done the quick way: one prepared statement
// and one round trip for an append, 1,000 rows for a publication, the poller's commits without a
// sync. Prints one JSON object with the words of vouch-load.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <random>
#include <thread>
#include <vector>

#include "kafka_publisher.h"
#include "postgres_storage.h"
#include "session.h"
#include "vouch/testkit/test_services.h"
#include "watcher.h"

namespace {

using Clock = std::chrono::steady_clock;
using vouch::bench::LatencyHistogram;
using vouch::postgres::Array;
using vouch::postgres::ArrayType;
using vouch::postgres::Parameters;
using vouch::postgres::Rows;
using vouch::postgres::Session;
using vouch::postgres::Sql;
using vouch::postgres::Step;

constexpr Sql kAppend{"append",
                      "WITH e AS (INSERT INTO application_events (stream, version, type, data) "
                      "SELECT $1, t.v, 'deposited', t.d FROM unnest($2, $3) AS t(v, d)) "
                      "INSERT INTO outbox (stream, type, data) "
                      "SELECT $1, 'deposited', t.d FROM unnest($3) AS t(d)"};
constexpr Sql kBegin{"begin", "BEGIN"};
constexpr Sql kQuick{"quick", "SET LOCAL synchronous_commit = off"};
constexpr Sql kTake{"take",
                    "DELETE FROM outbox WHERE id IN (SELECT id FROM outbox ORDER BY id LIMIT 1000) "
                    "RETURNING id, stream, data"};
constexpr Sql kCommit{"commit", "COMMIT"};

struct Arguments {
  std::string uri;
  std::string schema = "outbox_bench";
  std::string kafka;
  std::string topic;
  unsigned connections = 64;
  unsigned events = 1;
  unsigned streams = 100'000;
  unsigned payload = 256;
  unsigned poll_ms = 100;
  double seconds = 8;
  double warm_up = 2;
  double rate = 0;
};

Clock::duration to_duration(double seconds) {
  return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
}

/// A failure of one thread would make the figures of the others meaningless.
template <typename Work>
std::thread thread_of(const char* what, Work work) {
  return std::thread([what, work] {
    try {
      work();
    } catch (const std::exception& error) {
      std::fprintf(stderr, "outbox-table: %s: %s\n", what, error.what());
      std::_Exit(1);
    }
  });
}

/// Takes from the outbox, publishes and commits, until it is stopped.
class Poller {
 public:
  Poller(const Arguments& arguments, const vouch::postgres::Options& options)
      : pause_(arguments.poll_ms),
        session_(options, "poller"),
        publisher_(arguments.kafka, arguments.topic, 6) {}

  void run(const std::atomic<bool>& stopped) {
    while (!stopped) {
      if (publish_some() == 0) std::this_thread::sleep_for(pause_);
    }
  }

  [[nodiscard]] std::uint64_t published() const { return published_.load(); }

 private:
  int publish_some() {
    std::vector<Step> steps;
    steps.push_back({&kBegin, {}});
    steps.push_back({&kQuick, {}});
    steps.push_back({&kTake, {}});
    const std::vector<Rows> answers = session_.run(std::move(steps));
    const Rows& rows = answers.back();
    // DELETE returns rows in no promised order.
    std::vector<int> order(static_cast<std::size_t>(rows.size()));
    for (int i = 0; i < rows.size(); ++i) order[static_cast<std::size_t>(i)] = i;
    std::ranges::sort(order, {}, [&](int row) { return rows.integer(row, 0); });
    for (const int row : order) publisher_.add(rows.bytes(row, 1), rows.bytes(row, 2));
    publisher_.wait();
    session_.run(kCommit);
    published_ += order.size();
    return rows.size();
  }

  const std::chrono::milliseconds pause_;
  Session session_;
  vouch::bench::KafkaPublisher publisher_;
  std::atomic<std::uint64_t> published_{0};
};

/// One connection of the application, with streams of its own, so that it knows their versions.
class Writer {
 public:
  Writer(const Arguments& arguments, const vouch::postgres::Options& options, unsigned number)
      : arguments_(arguments),
        number_(number),
        random_(number + 1),
        versions_(arguments.streams / arguments.connections + 1),
        session_(options, "writer") {}

  /// Closed loop, or open loop with the share of one connection of the rate.
  void run(Clock::time_point begin, Clock::time_point measure_from, Clock::time_point end) {
    const double interval =
        arguments_.rate > 0 ? arguments_.events * arguments_.connections / arguments_.rate : 0;
    Clock::time_point due = begin + to_duration(interval * number_ / arguments_.connections);
    while (true) {
      if (interval > 0) std::this_thread::sleep_until(due);
      const Clock::time_point since = interval > 0 ? due : Clock::now();
      if (since >= end) return;
      append();
      appended_ += arguments_.events;
      if (since >= measure_from) latencies_.push_back(Clock::now() - since);
      due += to_duration(interval);
    }
  }

  [[nodiscard]] std::uint64_t appended() const { return appended_; }
  [[nodiscard]] const std::vector<Clock::duration>& latencies() const { return latencies_; }

 private:
  void append() {
    const std::size_t stream = random_() % versions_.size();
    Array versions(ArrayType::int8);
    Array data(ArrayType::bytes);
    const std::string text = R"({"sent":)" + std::to_string(vouch::bench::now_micros()) +
                             R"(,"pad":")" + std::string(arguments_.payload - 34, 'x') + "\"}";
    for (unsigned i = 0; i < arguments_.events; ++i) {
      versions.add(static_cast<std::int64_t>(++versions_[stream]));
      data.add(text);
    }
    Parameters parameters;
    parameters.text("account-" + std::to_string(number_) + "-" + std::to_string(stream));
    parameters.array(std::move(versions)).array(std::move(data));
    session_.run(kAppend, std::move(parameters));
  }

  const Arguments& arguments_;
  const unsigned number_;
  std::mt19937 random_;
  std::vector<std::uint64_t> versions_;
  Session session_;
  std::uint64_t appended_ = 0;
  std::vector<Clock::duration> latencies_;
};

void print(const Arguments& arguments, const std::vector<std::unique_ptr<Writer>>& writers,
           std::uint64_t delivered, double consumed_per_second, const LatencyHistogram& seen) {
  LatencyHistogram appends;
  std::uint64_t appended = 0;
  for (const auto& writer : writers) {
    appended += writer->appended();
    for (const auto latency : writer->latencies()) appends.add(latency);
  }
  std::printf(
      "{\"events_per_second\":%.0f,\"p50_ms\":%.2f,\"p99_ms\":%.2f,\"followed_per_second\":%.0f,"
      "\"follow_p50_ms\":%.2f,\"follow_p99_ms\":%.2f,\"appended\":%llu,\"delivered\":%llu}\n",
      static_cast<double>(appends.count()) * arguments.events / arguments.seconds,
      appends.percentile_ms(0.5), appends.percentile_ms(0.99), consumed_per_second,
      seen.percentile_ms(0.5), seen.percentile_ms(0.99), static_cast<unsigned long long>(appended),
      static_cast<unsigned long long>(delivered));
}

void measure(const Arguments& arguments) {
  vouch::testkit::TestServices services;
  const auto options = vouch::postgres::options_from(vouch::testkit::make_settings(
      vouch::postgres::kSettings, {{"uri", arguments.uri}, {"schema", arguments.schema}}));
  Session admin(options, "admin");
  const std::string drop = "DROP SCHEMA IF EXISTS \"" + arguments.schema + "\" CASCADE";
  admin.execute("SET client_min_messages = warning; " + drop + "; CREATE SCHEMA \"" +
                arguments.schema + "\"; SET search_path = \"" + arguments.schema + "\"");
  admin.execute(
      "CREATE TABLE application_events (stream text, version bigint, type text NOT NULL, "
      "data bytea NOT NULL, written timestamptz NOT NULL DEFAULT now(), "
      "PRIMARY KEY (stream, version));"
      "CREATE TABLE outbox (id bigserial PRIMARY KEY, stream text NOT NULL, type text NOT NULL, "
      "data bytea NOT NULL)");
  Poller poller(arguments, options);
  const std::unique_ptr<vouch::bench::Watcher> consumer =
      vouch::bench::consumer_of("kafka://" + arguments.kafka + "/" + arguments.topic);
  std::vector<std::unique_ptr<Writer>> writers;
  for (unsigned i = 0; i < arguments.connections; ++i) {
    writers.push_back(std::make_unique<Writer>(arguments, options, i));
  }
  std::atomic<bool> stopped{false};
  std::thread polling = thread_of("the poller", [&] { poller.run(stopped); });
  const Clock::time_point begin = Clock::now();
  const Clock::time_point measure_from = begin + to_duration(arguments.warm_up);
  const Clock::time_point end = measure_from + to_duration(arguments.seconds);
  std::vector<std::thread> threads;
  for (const auto& writer : writers) {
    threads.push_back(thread_of("a writer", [&] { writer->run(begin, measure_from, end); }));
  }
  std::this_thread::sleep_until(measure_from);
  consumer->sightings().start_measuring();
  const std::uint64_t seen_before = consumer->sightings().seen();
  std::this_thread::sleep_until(end);
  const std::uint64_t consumed = consumer->sightings().seen() - seen_before;
  const LatencyHistogram seen = consumer->sightings().latencies();
  const std::uint64_t delivered = poller.published();
  for (std::thread& thread : threads) thread.join();
  stopped = true;
  polling.join();
  print(arguments, writers, delivered, static_cast<double>(consumed) / arguments.seconds, seen);
  admin.execute("SET client_min_messages = warning; " + drop);
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  CLI::App app("A transactional outbox table with a poller to Kafka; prints one JSON object.");
  app.add_option("--uri", arguments.uri, "the database, as libpq takes it")->required();
  app.add_option("--schema", arguments.schema, "dropped before and after")->capture_default_str();
  app.add_option("--kafka", arguments.kafka, "HOST:PORT")->required();
  app.add_option("--topic", arguments.topic, "made anew")->required();
  app.add_option("--connections", arguments.connections)->capture_default_str();
  app.add_option("--events", arguments.events, "in one transaction")->capture_default_str();
  app.add_option("--streams", arguments.streams)->capture_default_str();
  app.add_option("--payload", arguments.payload, "bytes of data in one event")
      ->check(CLI::Range(34, 1 << 20))
      ->capture_default_str();
  app.add_option("--poll-ms", arguments.poll_ms, "pause of the poller that found nothing")
      ->capture_default_str();
  app.add_option("--seconds", arguments.seconds)->capture_default_str();
  app.add_option("--warm-up", arguments.warm_up, "seconds not counted")->capture_default_str();
  app.add_option("--rate", arguments.rate, "events a second, open loop; 0: closed loop")
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  try {
    measure(arguments);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "outbox-table: %s\n", error.what());
    return 1;
  }
  return 0;
}
