#include "read/snapshot_saver.h"

#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "vouch/testkit/test_services.h"

namespace vouch::read {
namespace {

/// Remembers what it was told to save; can be made to wait or fail.
class RecordingStore final : public SnapshotStore {
 public:
  Status save(std::span<const Snapshot> snapshots) override {
    std::unique_lock lock(mutex_);
    ++calls_;
    called_.notify_all();
    open_.wait(lock, [&] { return !blocked; });
    if (failing) return Status(StatusCode::unavailable, "disk full");
    for (const Snapshot& snapshot : snapshots) saved.push_back(snapshot.stream.str());
    return {};
  }
  Result<std::optional<Snapshot>> newest(const StreamName&) override {
    return std::optional<Snapshot>();
  }
  Status remove(const StreamName&) override { return {}; }
  Result<std::uint64_t> prune(Timestamp) override { return std::uint64_t{0}; }

  std::size_t count(const std::string& stream) {
    const std::lock_guard lock(mutex_);
    return static_cast<std::size_t>(std::count(saved.begin(), saved.end(), stream));
  }

  /// Until something is being saved, or was.
  void wait_for_call() {
    std::unique_lock lock(mutex_);
    called_.wait(lock, [&] { return calls_ > 0; });
  }

  void unblock() {
    {
      const std::lock_guard lock(mutex_);
      blocked = false;
    }
    open_.notify_all();
  }

  std::vector<std::string> saved;
  bool blocked = false;
  bool failing = false;

 private:
  std::mutex mutex_;
  std::condition_variable open_;
  std::condition_variable called_;
  int calls_ = 0;
};

Snapshot snapshot(const std::string& stream, std::size_t bytes) {
  return {
      StreamName::unchecked(stream), Version{1}, {}, "application/json", std::string(bytes, 'x')};
}

TEST_CASE("snapshots are saved in the background, in order") {
  RecordingStore store;
  testkit::TestServices services;
  SnapshotSaver saver(store, services);
  saver.start();
  for (int i = 0; i < 50; ++i) REQUIRE(saver.offer(snapshot("s-" + std::to_string(i), 10)));
  saver.flush();
  REQUIRE(store.saved.size() == 50);
  CHECK(store.saved.front() == "s-0");
  CHECK(store.saved.back() == "s-49");
  CHECK(services.metric("vouch_snapshots_saved_total") == 50);
}

TEST_CASE("a full queue drops the newest snapshot at once and counts it") {
  RecordingStore store;
  store.blocked = true;
  testkit::TestServices services;
  SnapshotSaver saver(store, services, 1'000);
  saver.start();
  int taken = 0;
  while (saver.offer(snapshot("s-1", 300))) ++taken;
  CHECK(taken >= 3);
  CHECK(services.metric("vouch_snapshots_dropped_total") == 1);
  store.unblock();
  saver.flush();
  CHECK(store.saved.size() == static_cast<std::size_t>(taken));
}

TEST_CASE("a storage that fails is counted and logged, and the next snapshots are saved") {
  RecordingStore store;
  store.failing = true;
  testkit::TestServices services;
  SnapshotSaver saver(store, services);
  saver.start();
  REQUIRE(saver.offer(snapshot("s-1", 10)));
  saver.flush();
  CHECK(services.metric("vouch_snapshot_failures_total") == 1);
  CHECK(services.log_lines().size() == 1);
  store.failing = false;
  REQUIRE(saver.offer(snapshot("s-2", 10)));
  saver.stop();
  CHECK(store.saved == std::vector<std::string>{"s-2"});
  CHECK_FALSE(saver.offer(snapshot("s-3", 10)));
}

TEST_CASE("a hold drops what waits of its stream, waits for what is being saved, takes nothing") {
  RecordingStore store;
  store.blocked = true;
  testkit::TestServices services;
  SnapshotSaver saver(store, services);
  saver.start();
  // More than one round takes.
  for (int i = 0; i < 50; ++i) REQUIRE(saver.offer(snapshot(i % 2 == 0 ? "s-1" : "s-2", 10)));
  store.wait_for_call();
  std::atomic<bool> held{false};
  std::size_t saved_at_the_hold = 0;
  std::thread holder([&] {
    const auto hold = saver.hold(StreamName::unchecked("s-1"));
    saved_at_the_hold = store.count("s-1");
    held = true;
    CHECK(saver.offer(snapshot("s-1", 10)));
    CHECK(saver.offer(snapshot("s-2", 10)));
    saver.flush();
    CHECK(store.count("s-1") == saved_at_the_hold);
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  CHECK_FALSE(held);
  store.unblock();
  holder.join();
  CHECK(saved_at_the_hold <= 10);
  CHECK(store.count("s-2") == 26);
  CHECK(services.metric("vouch_snapshots_dropped_total") ==
        static_cast<double>(25 - saved_at_the_hold + 1));
  REQUIRE(saver.offer(snapshot("s-1", 10)));
  saver.flush();
  CHECK(store.count("s-1") == saved_at_the_hold + 1);
}

}  // namespace
}  // namespace vouch::read
