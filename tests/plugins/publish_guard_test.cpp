// Exactly one outcome for each message, whatever the plugin does.
#include <sys/resource.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <condition_variable>
#include <thread>

#include "scripted_broker.h"

namespace vouch::plugins {
namespace {

using namespace std::chrono_literals;
constexpr PublishOutcome kAcked = PublishOutcome::acked;

/// Waits for a condition that another thread makes true.
template <typename Condition>
bool eventually(const Condition& condition) {
  for (int i = 0; i < 1'000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(5ms);
  }
  return condition();
}

}  // namespace

TEST_CASE("a second outcome for a message is dropped and counted") {
  GuardedScript guarded([](std::size_t, PublishSink& sink) -> Status {
    sink.published(0, kAcked, {});
    sink.published(0, PublishOutcome::rejected, Status(StatusCode::too_large, "x"));
    sink.published(1, kAcked, {});
    return {};
  });
  Heard heard;
  CHECK(guarded.publish(2, heard).ok());
  CHECK(heard.text() == "0 acked, 1 acked");
  CHECK(guarded.violations() == 1);
  CHECK(guarded.services.log_lines().back() ==
        "error: plugin misbehaving: publish gave a second outcome for message 0, dropped "
        "plugin=main call=publish");
}

TEST_CASE("an outcome for a message that does not exist is dropped and counted") {
  GuardedScript guarded([](std::size_t messages, PublishSink& sink) -> Status {
    sink.published(messages, kAcked, {});
    sink.published(0, kAcked, {});
    return {};
  });
  Heard heard;
  CHECK(guarded.publish(1, heard).ok());
  CHECK(heard.text() == "0 acked");
  CHECK(guarded.services.log_lines().back() ==
        "error: plugin misbehaving: publish gave an outcome for message 1 of 1 plugin=main "
        "call=publish");
}

TEST_CASE("a sink that has heard of every message is not touched by outcomes that come after") {
  PublishSink* kept = nullptr;
  GuardedScript guarded([&](std::size_t, PublishSink& sink) -> Status {
    if (kept == nullptr) kept = &sink;
    sink.published(0, kAcked, {});
    return {};
  });
  auto heard = std::make_unique<Heard>();
  CHECK(guarded.publish(1, *heard).ok());
  heard.reset();
  Heard others;
  for (int i = 0; i < 1'000; ++i) REQUIRE(guarded.publish(1, others).ok());
  // The sink of the first publish is gone; what the plugin holds of it is not.
  kept->published(0, PublishOutcome::unknown, {});
  CHECK(others.count() == 1'000);
  CHECK(guarded.violations() == 1);
}

TEST_CASE("an outcome that never comes is unknown after the deadline and the grace") {
  PublishSink* kept = nullptr;
  GuardedScript guarded(
      [&](std::size_t, PublishSink& sink) -> Status {
        kept = &sink;
        sink.published(1, kAcked, {});
        return {};
      },
      20ms);
  Heard heard;
  const auto start = std::chrono::steady_clock::now();
  CHECK(guarded.publish(3, heard, 30ms).ok());
  CHECK(heard.text() == "1 acked");
  REQUIRE(eventually([&] { return heard.count() == 3; }));
  CHECK(std::chrono::steady_clock::now() - start >= 50ms);
  CHECK(heard.text() == "1 acked, 0 unknown, 2 unknown");
  CHECK(heard.why(0) ==
        "internal: plugin main misbehaves: publish gave no outcome for 2 of 3 messages by their "
        "deadline");
  CHECK(guarded.violations() == 1);

  kept->published(0, kAcked, {});
  kept->published(2, kAcked, {});
  CHECK(heard.count() == 3);
  CHECK(guarded.violations() == 3);
  CHECK(guarded.services.log_lines().back() ==
        "error: plugin misbehaving: publish gave the outcome of message 2 after it had to be "
        "answered as unknown, dropped plugin=main call=publish");
}

TEST_CASE("a short deadline is kept while a long one is outstanding") {
  GuardedScript guarded([](std::size_t, PublishSink&) -> Status { return {}; }, 1ms);
  Heard patient;
  Heard hasty;
  CHECK(guarded.publish(1, patient, 1h).ok());
  CHECK(guarded.publish(1, hasty, 10ms).ok());
  REQUIRE(eventually([&] { return hasty.count() == 1; }));
  CHECK(patient.count() == 0);
  guarded.broker.close();
  CHECK(patient.text() == "0 unknown");
  CHECK(patient.why(0) ==
        "internal: plugin main misbehaves: publish gave no outcome for 1 of 1 messages before it "
        "was closed");
}

TEST_CASE("when publish throws after outcomes, the other messages are unknown, none twice") {
  PublishSink* kept = nullptr;
  GuardedScript guarded([&](std::size_t, PublishSink& sink) -> Status {
    kept = &sink;
    sink.published(1, kAcked, {});
    throw std::runtime_error("half way");
  });
  Heard heard;
  CHECK(guarded.publish(3, heard).ok());
  CHECK(heard.text() == "1 acked, 0 unknown, 2 unknown");
  CHECK(heard.why(2) == "internal: plugin main misbehaves: publish threw: half way");
  kept->published(2, kAcked, {});
  CHECK(heard.count() == 3);
  CHECK(guarded.violations() == 2);
}

TEST_CASE("when publish throws before any outcome, it is an error and the sink hears nothing") {
  PublishSink* kept = nullptr;
  GuardedScript guarded([&](std::size_t, PublishSink& sink) -> Status {
    kept = &sink;
    throw std::runtime_error("at once");
  });
  auto heard = std::make_unique<Heard>();
  CHECK(guarded.publish(2, *heard).to_string() ==
        "internal: plugin main misbehaves: publish threw: at once");
  CHECK(heard->count() == 0);
  heard.reset();
  kept->published(0, kAcked, {});
  kept->published(1, kAcked, {});
  kept->published(1, kAcked, {});
  CHECK(guarded.violations() == 4);
}

TEST_CASE("an error after outcomes becomes unknown for the other messages") {
  GuardedScript guarded([](std::size_t, PublishSink& sink) -> Status {
    sink.published(0, kAcked, {});
    return Status(StatusCode::overloaded, "full");
  });
  Heard heard;
  CHECK(guarded.publish(2, heard).ok());
  CHECK(heard.text() == "0 acked, 1 unknown");
  CHECK(heard.why(1) == "overloaded: full");
  CHECK(guarded.violations() == 1);
}

TEST_CASE("an honest error passes through, and the sink hears nothing, not even later") {
  GuardedScript guarded(
      [](std::size_t, PublishSink&) { return Status(StatusCode::overloaded, "full"); }, 1ms);
  Heard heard;
  CHECK(guarded.publish(2, heard, 1ms).to_string() == "overloaded: full");
  std::this_thread::sleep_for(30ms);
  guarded.broker.close();
  CHECK(heard.count() == 0);
  CHECK(guarded.violations() == 0);
}

TEST_CASE("what a sink of the host throws does not reach the plugin") {
  class Throws final : public PublishSink {
   public:
    void published(std::size_t, PublishOutcome, const Status&) override {
      throw std::logic_error("in the host");
    }
  } sink;
  bool reached_end = false;
  GuardedScript guarded([&](std::size_t, PublishSink& plugin_sink) -> Status {
    plugin_sink.published(0, kAcked, {});
    reached_end = true;
    return {};
  });
  CHECK(guarded.publish(1, sink).ok());
  CHECK(reached_end);
  CHECK(guarded.violations() == 0);
  CHECK(guarded.services.log_lines().back() ==
        "error: a publish sink of the host threw error=in the host");
}

TEST_CASE("outcomes that race with their deadline are given exactly once each") {
  // The plugin's thread answers around the time at which the guard gives up.
  struct Call {
    PublishSink* sink;
    std::size_t messages;
  };
  std::mutex mutex;
  std::vector<Call> calls;
  std::atomic<bool> done{false};
  constexpr std::size_t kMessages = 20;
  constexpr int kCalls = 300;
  GuardedScript guarded(
      [&](std::size_t messages, PublishSink& sink) -> Status {
        const std::lock_guard lock(mutex);
        calls.push_back({&sink, messages});
        return {};
      },
      1ms);
  std::thread answering([&] {
    while (true) {
      std::vector<Call> taken;
      {
        const std::lock_guard lock(mutex);
        taken.swap(calls);
      }
      if (taken.empty() && done) return;
      std::this_thread::sleep_for(1ms);
      for (const Call& call : taken) {
        for (std::size_t i = 0; i < call.messages; ++i) call.sink->published(i, kAcked, {});
      }
    }
  });
  std::vector<std::unique_ptr<Heard>> all;
  for (int i = 0; i < kCalls; ++i) {
    all.push_back(std::make_unique<Heard>());
    REQUIRE(guarded.publish(kMessages, *all.back(), 1ms).ok());
    if (i % 3 == 0) std::this_thread::sleep_for(300us);
  }
  for (const auto& heard : all) {
    CHECK(eventually([&] { return heard->count() == kMessages; }));
  }
  done = true;
  answering.join();
  for (const auto& heard : all) CHECK(heard->count() == kMessages);
}

TEST_CASE("while nothing is outstanding nothing wakes up") {
  GuardedScript guarded(
      [](std::size_t, PublishSink& sink) -> Status {
        sink.published(0, kAcked, {});
        return {};
      },
      1ms);
  Heard heard;
  REQUIRE(guarded.publish(1, heard, 5ms).ok());
  std::this_thread::sleep_for(50ms);  // the one time that the watchdog looked for is over
  rusage before{};
  rusage after{};
  REQUIRE(::getrusage(RUSAGE_SELF, &before) == 0);
  std::this_thread::sleep_for(300ms);
  REQUIRE(::getrusage(RUSAGE_SELF, &after) == 0);
  CHECK(after.ru_nvcsw - before.ru_nvcsw <= 5);
}

}  // namespace vouch::plugins
