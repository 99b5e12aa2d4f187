// Calls of plugins that do not return: said once, shown while they last, said again when they do
// return.
#include "plugins/call_watch.h"

#include <sys/resource.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <functional>
#include <future>
#include <regex>
#include <thread>

#include "plugins/guarded_storage.h"
#include "scripted_broker.h"
#include "vouch/testkit/memory_storage.h"
#include "vouch/thread_name.h"

namespace vouch::plugins {
namespace {

using namespace std::chrono_literals;

HeldUp words_for_tests(std::string_view thread, std::string_view call) {
  return {std::string(call) + " holds up " + std::string(thread), thread != "reader"};
}

/// Waits for a condition that another thread makes true.
template <typename Condition>
bool eventually(const Condition& condition) {
  for (int i = 0; i < 2'000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(5ms);
  }
  return condition();
}

/// Keeps whoever passes until it is opened.
class Gate {
 public:
  void pass() { opened_.wait(); }
  void open() { open_.set_value(); }

 private:
  std::promise<void> open_;
  const std::shared_future<void> opened_ = open_.get_future().share();
};

/// Makes a call on a thread of that name.
class Caller {
 public:
  template <typename Call>
  Caller(const char* name, Call call)
      : thread_([name, call = std::move(call)] {
          name_this_thread(name);
          call();
        }) {}
  ~Caller() { join(); }
  Caller(const Caller&) = delete;
  Caller& operator=(const Caller&) = delete;
  void join() {
    if (thread_.joinable()) thread_.join();
  }

 private:
  std::thread thread_;
};

class NoMessages final : public MessageSink {
 public:
  void message(const Message&) override {}
  void gap() override {}
};

/// Log lines with "T" for each time and "N" for how long a call took in the end.
std::vector<std::string> lines_of(const testkit::TestServices& services) {
  std::vector<std::string> lines = services.log_lines();
  for (std::string& line : lines) {
    line = std::regex_replace(line, std::regex(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z)"), "T");
    line = std::regex_replace(line, std::regex(R"( ms=\d+)"), " ms=N");
  }
  return lines;
}

/// A broker behind its guard, watched.
struct Watched {
  explicit Watched(std::chrono::milliseconds limit)
      : watch({limit, words_for_tests}, services),
        broker(
            plugin, [](Plugin* object) { delete static_cast<ScriptedBroker*>(object); }, "main",
            services, GuardedBroker::kGrace, &watch) {}

  testkit::TestServices services;
  CallWatch watch;
  ScriptedBroker* const plugin = new ScriptedBroker();
  GuardedBroker broker;
};

}  // namespace

TEST_CASE("a call that does not return is logged once, shown while it lasts, and then told of") {
  Gate gate;
  Watched watched(50ms);
  watched.plugin->on_call = [&](std::string_view) { gate.pass(); };
  Caller lane("lane-7", [&] { ignore_status(watched.broker.open(), "not asked"); });
  REQUIRE(eventually([&] { return !watched.services.log_lines().empty(); }));

  const std::vector<RunningCall> stuck = watched.watch.stuck();
  REQUIRE(stuck.size() == 1);
  CHECK(stuck[0].plugin == "main");
  CHECK(stuck[0].call == "open");
  CHECK(stuck[0].thread == "lane-7");
  CHECK(stuck[0].age >= 50ms);
  CHECK(stuck[0].held_up.what == "open holds up lane-7");
  CHECK(stuck[0].held_up.whole_host);
  CHECK(watched.services.metric("vouch_plugin_stuck_calls") == 1);
  std::this_thread::sleep_for(200ms);
  CHECK(watched.watch.stuck()[0].since == stuck[0].since);
  const std::string said =
      "error: a plugin's call has not returned for 50 ms: open holds up lane-7 plugin=main "
      "call=open thread=lane-7 since=T";
  CHECK(lines_of(watched.services) == std::vector<std::string>{said});

  gate.open();
  lane.join();
  CHECK(watched.watch.stuck().empty());
  REQUIRE(eventually([&] { return watched.services.log_lines().size() == 2; }));
  CHECK(lines_of(watched.services) ==
        std::vector<std::string>{said,
                                 "info: a plugin's call returned after all plugin=main call=open "
                                 "thread=lane-7 since=T ms=N"});
  CHECK(eventually([&] { return watched.services.metric("vouch_plugin_stuck_calls") == 0; }));
  CHECK(watched.services.metric("vouch_plugin_stuck_calls_total") == 1);
}

TEST_CASE("a call for one request that does not return is a warning") {
  Gate gate;
  Watched watched(20ms);
  watched.plugin->on_call = [&](std::string_view) { gate.pass(); };
  Caller reader("reader", [&] { (void)watched.broker.health(); });
  REQUIRE(eventually([&] { return watched.watch.stuck().size() == 1; }));
  CHECK_FALSE(watched.watch.stuck()[0].held_up.whole_host);
  REQUIRE(eventually([&] { return !watched.services.log_lines().empty(); }));
  CHECK(lines_of(watched.services).front() ==
        "warning: a plugin's call has not returned for 20 ms: health holds up reader plugin=main "
        "call=health thread=reader since=T");
  gate.open();
}

TEST_CASE("calls that return in time are seen while they run and never said") {
  Gate gate;
  Watched watched(1h);
  watched.plugin->on_call = [&](std::string_view call) {
    if (call == "open") gate.pass();
  };
  Caller caller("caller", [&] { ignore_status(watched.broker.open(), "not asked"); });
  REQUIRE(eventually([&] { return watched.watch.running_for(0ms).size() == 1; }));
  CHECK(watched.watch.running_for(0ms)[0].thread == "caller");
  CHECK(watched.watch.running_for(1h).empty());
  CHECK(watched.watch.stuck().empty());
  gate.open();
  caller.join();
  CHECK(watched.watch.running_for(0ms).empty());
  CHECK(watched.services.log_lines().empty());
}

TEST_CASE("a call that is told to wait has that time in addition") {
  Gate gate;
  Watched watched(100ms);
  watched.plugin->on_call = [&](std::string_view) { gate.pass(); };
  Caller waits("waits", [&] { ignore_status(watched.broker.ensure({}, 300ms), "not asked"); });
  Caller forever("forever", [&] {
    ignore_status(watched.broker.ensure({}, std::chrono::milliseconds::max()), "not asked");
  });
  REQUIRE(eventually([&] { return !watched.services.log_lines().empty(); }));
  CHECK(lines_of(watched.services).front() ==
        "error: a plugin's call has not returned for 400 ms: ensure holds up waits plugin=main "
        "call=ensure thread=waits since=T");
  CHECK(watched.watch.stuck().size() == 1);
  gate.open();
}

TEST_CASE("calls that work through much data have ten times the limit") {
  testkit::TestServices services;
  testkit::Faults faults;
  testkit::MemoryDatabase database;
  CallWatch watch({100ms, words_for_tests}, services);
  auto* const memory = new testkit::MemoryStorage(database, faults);
  GuardedStorage storage(
      memory, [](Plugin* plugin) { delete static_cast<testkit::MemoryStorage*>(plugin); },
      "storage-memory", services, &watch);
  REQUIRE(storage.open().ok());
  REQUIRE(storage.migrate({"s", 1}).ok());
  auto* const erasures = static_cast<ErasureStore*>(storage.query(ErasureStore::kInterface));
  REQUIRE(erasures != nullptr);
  faults.arm(testkit::Step::erase, testkit::Fault::stall);
  faults.arm(testkit::Step::resolve, testkit::Fault::stall);
  const Erasure erasure{
      StreamName::unchecked("a-1"), Version{1}, Version{1}, {}, "asked for", "{}"};
  Caller erases("erases", [&] { ignore_status(erasures->erase(erasure).status(), "not asked"); });
  REQUIRE(faults.wait_stalled(testkit::Step::erase));
  const Token token;
  Caller resolves("resolves", [&] {
    ignore_status(storage.resolve({&token, 1}).status(), "not asked");
  });
  REQUIRE(eventually([&] { return services.log_lines().size() == 2; }));
  CHECK(lines_of(services) ==
        std::vector<std::string>{
            "error: a plugin's call has not returned for 100 ms: resolve holds up resolves "
            "plugin=storage-memory call=resolve thread=resolves since=T",
            "error: a plugin's call has not returned for 1 s: erase holds up erases "
            "plugin=storage-memory call=erase thread=erases since=T"});
  CHECK(services.metric("vouch_plugin_stuck_calls") == 2);
  faults.release();
}

TEST_CASE("everything that a broker is called for is watched, destructors as well") {
  testkit::TestServices services;
  CallWatch watch({1h, words_for_tests}, services);
  std::vector<std::string> watched;
  auto* const plugin = new ScriptedBroker();
  plugin->on_call = [&](std::string_view call) {
    const std::vector<RunningCall> running = watch.running_for(0ms);
    watched.push_back(running.size() == 1 && running[0].call == call ? running[0].call
                                                                     : "not " + std::string(call));
  };
  {
    GuardedBroker broker(
        plugin, [](Plugin* object) { delete static_cast<ScriptedBroker*>(object); }, "main",
        services, GuardedBroker::kGrace, &watch);
    NoMessages messages;
    Heard heard;
    const Message message{"t", std::nullopt, "k", {}, "x"};
    CHECK(broker.open().ok());
    CHECK(broker.ensure({}, 1ms).ok());
    CHECK(broker.publish({&message, 1}, 1h, heard).ok());
    auto subscription = broker.subscribe("t", Partition{}, messages);
    REQUIRE(subscription.ok());
    (*subscription)->stop();
    subscription->reset();
    CHECK(broker.health().ok);
    CHECK_FALSE(broker.capabilities().headers);
    CHECK(broker.guarantees() == "ok");
    CHECK(broker.query("x/1") == nullptr);
    broker.close();
  }
  CHECK(watched == std::vector<std::string>{"open", "ensure", "publish", "subscribe", "stop",
                                            "destroy subscription", "health", "capabilities",
                                            "guarantees", "query", "close", "destroy"});
}

TEST_CASE("an idle watch does not wake") {
  testkit::TestServices services;
  const CallWatch watch({60s, words_for_tests}, services);
  std::this_thread::sleep_for(50ms);
  const auto switches = [] {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    return usage.ru_nvcsw;
  };
  const long before = switches();
  std::this_thread::sleep_for(300ms);
  CHECK(switches() - before <= 5);  // a sanitizer's own thread wakes ten times a second
}

TEST_CASE("calls of many threads come and go while they are watched") {
  Watched watched(1ms);
  std::atomic<int> calls{0};
  watched.plugin->on_call = [&](std::string_view) {
    if (++calls % 50 == 0) std::this_thread::sleep_for(3ms);
  };
  std::vector<std::thread> threads;
  std::atomic<bool> over{false};
  std::atomic<int> others{0};
  std::thread asks([&] {
    while (!over.load()) {
      for (const RunningCall& call : watched.watch.stuck()) others += call.plugin != "main" ? 1 : 0;
      std::this_thread::yield();
    }
  });
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 500; ++n) others += watched.broker.open().ok() ? 0 : 1;
    });
  }
  for (std::thread& thread : threads) thread.join();
  over = true;
  asks.join();
  CHECK(others == 0);
  CHECK(watched.watch.running_for(0ms).empty());
  CHECK(eventually([&] { return watched.services.metric("vouch_plugin_stuck_calls") == 0; }));
  const double noticed = watched.services.metric("vouch_plugin_stuck_calls_total");
  CHECK(noticed > 0);
  CHECK(watched.services.log_lines().size() == 2 * static_cast<std::size_t>(noticed));
}

}  // namespace vouch::plugins
