// A lane, readers, the saga's calls and maintenance at the same time; also a check for data races
// under the thread sanitizer.
#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <ctime>
#include <map>
#include <mutex>
#include <thread>

#include "sqlite_fixture.h"

namespace vouch::sqlite::test {

using namespace std::chrono_literals;

namespace {

/// What went wrong on any thread.
class Complaints {
 public:
  void unless(bool good, const std::string& what) {
    if (good) return;
    const std::lock_guard lock(mutex_);
    texts_.push_back(what);
  }
  void unless_ok(const Status& status, const std::string& what) {
    unless(status.ok(), what + ": " + status.to_string());
  }
  [[nodiscard]] std::vector<std::string> texts() const {
    const std::lock_guard lock(mutex_);
    return texts_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> texts_;
};

/// Stages groups of one event, commits nine of ten, and asks for the verdict before and after.
/// Returns how many were committed.
std::uint64_t write_groups(OpenStore& store, int groups, Complaints& complaints) {
  std::uint64_t committed = 0;
  auto lane = store.lane();
  for (int i = 0; i < groups; ++i) {
    const Append append = append_to("cart-" + std::to_string(i % 5));
    const auto group = lane->stage({&append, 1});
    complaints.unless_ok(group.status(), "stage");
    if (!group.ok()) continue;
    const auto open = store->resolve({&group->token, 1});
    complaints.unless(open.ok() && open->front() == Verdict::in_progress, "not in progress");
    const bool keep = i % 10 != 9;
    if (keep) {
      complaints.unless_ok(lane->commit().reason, "commit");
      ++committed;
    } else {
      lane->rollback();
    }
    const auto over = store->resolve({&group->token, 1});
    // The saga and the purge may have been quicker than this question.
    const bool right = over.ok() && (keep ? over->front() == Verdict::committed ||
                                                over->front() == Verdict::forgotten
                                          : over->front() == Verdict::aborted);
    complaints.unless(right, "wrong verdict");
  }
  return committed;
}

/// Takes and marks deliveries until `done` and nothing is left. Returns how many events came.
std::uint64_t deliver(OpenStore& store, const std::atomic<bool>& done, Complaints& complaints) {
  std::map<std::string, std::uint64_t> last;
  std::uint64_t delivered = 0;
  for (;;) {
    const bool finished = done;
    const auto deliveries = ready(*store, 20);
    std::vector<DeliveryId> ids;
    for (const ReadyDelivery& delivery : deliveries) {
      ids.push_back(delivery.delivery.id);
      for (const Event& event : delivery.events) {
        complaints.unless(event.version.value == ++last[event.stream.str()], "out of order");
        ++delivered;
      }
    }
    complaints.unless_ok(store->ledger().complete(ids), "complete");
    if (finished && ids.empty()) return delivered;
  }
}

}  // namespace

TEST_CASE("Everything at once: each event is delivered once, in order, and every answer holds") {
  const TemporaryDirectory directory;
  Options options = options_for(directory.file("shop.db"));
  options.busy_timeout = 10s;
  options.readers = 3;
  OpenStore store(options);
  std::atomic<bool> done{false};
  Complaints complaints;
  std::uint64_t committed = 0;
  std::uint64_t delivered = 0;
  std::thread writer([&] {
    committed = write_groups(store, 300, complaints);
    done = true;
  });
  std::thread saga([&] { delivered = deliver(store, done, complaints); });
  std::thread reader([&] {
    while (!done) {
      complaints.unless_ok(store->reader().feed_end().status(), "feed_end");
      complaints.unless_ok(store->ledger().backlog().status(), "backlog");
      const Health health = store->health();
      complaints.unless(health.ok, "health: " + health.detail);
    }
  });
  std::thread maintenance([&] {
    auto* snapshots = static_cast<SnapshotStore*>(store->query(SnapshotStore::kInterface));
    for (std::uint64_t i = 1; !done; ++i) {
      const Snapshot snapshot{StreamName::unchecked("cart-1"), {i}, {5}, "text/plain", "state"};
      complaints.unless_ok(snapshots->save({&snapshot, 1}), "save");
      complaints.unless_ok(store->ledger().purge(0s, 50).status(), "purge");
    }
  });
  writer.join();
  saga.join();
  reader.join();
  maintenance.join();
  CHECK(complaints.texts() == std::vector<std::string>{});
  CHECK(committed == 270);
  CHECK(delivered == committed);
}

TEST_CASE("A transaction is fenced by another thread while its lane commits") {
  const TemporaryDirectory directory;
  OpenStore store(directory.file("shop.db"));
  auto lane = store.lane();
  for (int i = 0; i < 50; ++i) {
    const Append append = append_to("cart-1");
    const auto group = lane->stage({&append, 1});
    REQUIRE(group.ok());
    std::thread other([&] { ignore_status(store->fence(group->token), "it always succeeds"); });
    const CommitOutcome outcome = lane->commit().outcome;
    other.join();
    const Verdict verdict = store->resolve({&group->token, 1}).value().front();
    CHECK((outcome == CommitOutcome::committed) == (verdict == Verdict::committed));
    CHECK((outcome == CommitOutcome::aborted) == (verdict == Verdict::aborted));
  }
}

TEST_CASE("An idle store costs no processor time") {
  const TemporaryDirectory directory;
  OpenStore store(directory.file("shop.db"));
  const StagedGroup group = commit_one(*store.lane(), append_to("cart-1"));
  REQUIRE(store->ledger().complete({&group.deliveries[0].id, 1}).ok());
  std::this_thread::sleep_for(300ms);
  const std::clock_t start = std::clock();
  std::this_thread::sleep_for(700ms);
  CHECK(static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC < 0.02);
}

TEST_CASE("When all reading sessions are in use, a caller waits and is then told so") {
  const TemporaryDirectory directory;
  Options options = options_for(directory.file("shop.db"));
  options.readers = 1;
  OpenStore store(options);
  commit_one(*store.lane(), append_to("cart-1"));
  class Nested final : public EventSink {
   public:
    explicit Nested(SqliteStorage& storage) : storage_(storage) {}
    bool event(const EventView& /*event*/) override {
      std::thread([this] { status = storage_.reader().feed_end().status(); }).join();
      return true;
    }
    Status status;

   private:
    SqliteStorage& storage_;
  };
  Nested sink(*store);
  REQUIRE(store->reader()
              .stream(StreamName::unchecked("cart-1"), {}, Direction::forward, 10, sink)
              .ok());
  CHECK(sink.status.code() == StatusCode::unavailable);
  CHECK(store->reader().feed_end().ok());
}

}  // namespace vouch::sqlite::test
