#include "scenarios.h"

#include <valgrind/callgrind.h>

#include <array>
#include <atomic>
#include <chrono>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>

#include "format/validation_message.h"
#include "publish/publish_call.h"
#include "server_under_test.h"

namespace vouch::instructions {
namespace {

using namespace std::chrono_literals;
using tests::Answer;
using tests::Client;

constexpr std::size_t kDataBytes = 256;
constexpr std::size_t kStreams = 10;
constexpr std::size_t kBatch = 100;

void demand(bool holds, const std::string& what) {
  if (!holds) throw std::runtime_error(what);
}

/// JSON of exactly `kDataBytes`, as events have it: members, a number, text with an escape.
std::string event_data(std::size_t number) {
  std::string data = R"({"account":"DE89-3704-0044-0532-0130-00","amount":10.50,"number":)" +
                     std::to_string(1'000'000 + number) +
                     R"(,"tags":["cash","branch"],"approved":true,"note":"said \"now\", )";
  data.append(kDataBytes - data.size() - 2, 'n');
  return data + "\"}";
}

std::string event_json(std::size_t number) {
  return R"({"type":"deposited","data":)" + event_data(number) + '}';
}

std::string batch_json(std::size_t events) {
  std::string body = "[";
  for (std::size_t i = 0; i < events; ++i) {
    if (i > 0) body += ',';
    body += event_json(i);
  }
  return body + ']';
}

std::string stream_name(std::size_t number) {
  return "account-" + std::to_string(number % kStreams);
}

/// A host that does nothing by the clock, and its client.
class Bench {
 public:
  Bench() : server_({}, quiet()), client_(server_.server->port()) {}

  /// Over HTTP, answered when it is committed; then waits until it is delivered.
  void append(std::size_t number, std::size_t events, const std::string& body) {
    const Answer answer =
        client_.ask("POST", "/v1/streams/" + stream_name(number) + "/events",
                    {{"Content-Type", "application/json"}, {"User-Agent", "instructions"}}, body);
    demand(answer.status == 201, answer.body);
    wait_delivered(events);
  }

  void wait_delivered(std::size_t more_events) {
    appended_ += more_events;
    demand(tests::eventually([&] { return world().database.undelivered().empty(); }),
           "not everything was delivered");
    demand(world().exchange.wait_outbound(appended_), "not everything was published");
  }

  tests::World& world() { return server_.world; }
  tests::Host& host() { return server_.host; }
  Client& client() { return client_; }
  [[nodiscard]] std::uint16_t port() const { return server_.server->port(); }

 private:
  static tests::HostSettings quiet() {
    tests::HostSettings settings;
    settings.lanes = 1;
    settings.sweep_interval = 1h;
    settings.host_interval = 1h;
    settings.publish_timeout = 60s;
    return settings;
  }

  tests::ServerUnderTest server_;
  Client client_;
  std::size_t appended_ = 0;
};

/// `work`, for the first `warm_up` numbers uncounted, then counted.
void count(std::size_t warm_up, std::size_t counted, const std::function<void(std::size_t)>& work) {
  for (std::size_t i = 0; i < warm_up; ++i) work(i);
  CALLGRIND_START_INSTRUMENTATION;
  for (std::size_t i = 0; i < counted; ++i) work(warm_up + i);
  CALLGRIND_STOP_INSTRUMENTATION;
}

std::uint64_t one_event_a_request() {
  constexpr std::size_t kRequests = 300;
  Bench bench;
  count(50, kRequests, [&](std::size_t i) { bench.append(i, 1, event_json(i)); });
  return kRequests;
}

std::uint64_t hundred_events_a_request() {
  constexpr std::size_t kRequests = 20;
  const std::string body = batch_json(kBatch);
  Bench bench;
  count(5, kRequests, [&](std::size_t i) { bench.append(i, kBatch, body); });
  return kRequests * kBatch;
}

Append make_append(std::size_t number) {
  Append append = tests::make_append(stream_name(number), 1);
  append.writes.front().events.front().data = event_data(number);
  return append;
}

/// Appends that wait while a transaction is open share the next one. The open one is held at its
/// commit until all the others wait.
std::uint64_t group_of_a_hundred() {
  constexpr std::size_t kGroups = 20;
  Bench bench;
  append::AppendService& appends = bench.host().appends();
  count(3, kGroups, [&](std::size_t) {
    std::atomic<std::size_t> committed{0};
    const auto done = [&](const append::AppendAnswer& answer) {
      if (answer.code == append::AppendCode::committed) ++committed;
    };
    bench.world().faults.arm(testkit::Step::commit, testkit::Fault::stall);
    appends.submit(make_append(0), done);
    demand(bench.world().faults.wait_stalled(testkit::Step::commit), "no transaction is open");
    for (std::size_t i = 0; i < kBatch; ++i) appends.submit(make_append(i), done);
    bench.world().faults.clear();
    demand(tests::eventually([&] { return committed.load() == kBatch + 1; }), "not committed");
    bench.wait_delivered(kBatch + 1);
  });
  return kGroups * (kBatch + 1);
}

/// Transactions that the host did not write itself: it asks the database what became of them, and
/// reads their events. The signal comes after the commit, so that it asks once.
std::uint64_t transactions_of_others() {
  constexpr std::size_t kTransactions = 20;
  Bench bench;
  testkit::MemoryBroker broker(bench.world().exchange);
  demand(broker.open().ok(), "the broker opens");
  Result<std::unique_ptr<Lane>> lane = bench.host().storage().lane(LaneNumber{100}, 1s);
  demand(lane.ok(), "the lane opens");
  count(5, kTransactions, [&](std::size_t number) {
    Append append = make_append(number);
    Write& write = append.writes.front();
    write.partition = partition_of(write.stream.view(), bench.world().partitions);
    write.events.resize(kBatch, write.events.front());
    for (NewEvent& event : write.events) event.id = bench.host().appends().event_ids().next();
    const Result<StagedGroup> staged = (*lane)->stage({&append, 1});
    demand(staged.ok() && staged->deliveries.size() == 1, "staged");
    demand((*lane)->commit().outcome == CommitOutcome::committed, "committed");
    const Delivery& delivery = staged->deliveries.front();
    const std::string payload =
        format::write_validation_message({"shop", staged->token, delivery.id, delivery.events});
    const Message message{"vouch.validation", delivery.id.partition, {}, {}, payload};
    const std::atomic<bool> give_up{false};
    demand(publish::publish_and_wait(broker, {&message, 1}, 5s, give_up).problem.ok(), "signalled");
    bench.wait_delivered(kBatch);
  });
  broker.close();
  return kTransactions * kBatch;
}

std::uint64_t stream_as_ndjson() {
  constexpr std::size_t kReads = 5;
  constexpr std::size_t kEvents = 10 * kBatch;
  Bench bench;
  for (std::size_t i = 0; i < kEvents / kBatch; ++i) bench.append(0, kBatch, batch_json(kBatch));
  count(1, kReads, [&](std::size_t) {
    const Answer answer = bench.client().ask("GET", "/v1/streams/account-0/events",
                                             {{"Accept", "application/x-ndjson"}});
    demand(answer.complete && tests::count_of(answer.body, "\n") == kEvents, "all events are read");
  });
  return kReads * kEvents;
}

/// One follower at the live end.
std::uint64_t live_follower() {
  constexpr std::size_t kRequests = 20;
  const std::string body = batch_json(kBatch);
  Bench bench;
  Client follower(bench.port());
  follower.send("GET", "/v1/feed", {{"Accept", "application/x-ndjson"}});
  demand(follower.read_head().status == 200, "the feed can be followed");
  const auto line = follower.read_text_line();
  demand(line && line->find("caught-up") != std::string::npos, "the follower is at the end");
  count(5, kRequests, [&](std::size_t i) {
    bench.append(i, kBatch, body);
    for (std::size_t n = 0; n < kBatch;) {
      const auto got = follower.read_text_line();
      demand(got.has_value(), "the feed goes on");
      if (got->find("\"kind\":\"event\"") != std::string::npos) ++n;
    }
  });
  return kRequests * kBatch;
}

}  // namespace

const std::vector<Scenario>& scenarios() {
  static const std::vector<Scenario> all = {
      {"one", one_event_a_request},  {"hundred", hundred_events_a_request},
      {"group", group_of_a_hundred}, {"others", transactions_of_others},
      {"stream", stream_as_ndjson},  {"follower", live_follower},
  };
  return all;
}

}  // namespace vouch::instructions
