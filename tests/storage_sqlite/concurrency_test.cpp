// A lane, readers, the saga's calls and maintenance at the same time; also a check for data races
// under the thread sanitizer.
#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <ctime>
#include <thread>

#include "sqlite_fixture.h"

namespace vouch::sqlite::test {

using namespace std::chrono_literals;

TEST_CASE("Everything at once: each event is delivered once, in order, and every answer holds") {
  const TemporaryDirectory directory;
  Options options = options_for(directory.file("shop.db"));
  options.busy_timeout = 10s;
  options.readers = 3;
  OpenStore store(options);
  constexpr int kGroups = 300;
  std::atomic<bool> done{false};
  std::atomic<int> committed{0};
  std::atomic<int> wrong{0};

  std::thread writer([&] {
    auto lane = store.lane();
    for (int i = 0; i < kGroups; ++i) {
      const Append append = append_to("cart-" + std::to_string(i % 5));
      const auto group = lane->stage({&append, 1});
      if (!group.ok()) {
        ++wrong;
        continue;
      }
      const auto open = store->resolve({&group->token, 1});
      if (!open.ok() || open->front() != Verdict::in_progress) ++wrong;
      const bool keep = i % 10 != 9;
      if (keep) {
        if (lane->commit().outcome != CommitOutcome::committed) ++wrong;
        ++committed;
      } else {
        lane->rollback();
      }
      const auto over = store->resolve({&group->token, 1});
      if (!over.ok() || over->front() != (keep ? Verdict::committed : Verdict::aborted)) ++wrong;
    }
    done = true;
  });
  std::uint64_t delivered = 0;
  std::thread saga([&] {
    std::map<std::string, std::uint64_t> last;
    for (bool finished = false;;) {
      finished = done;
      const auto deliveries = ready(*store, 20);
      std::vector<DeliveryId> ids;
      for (const ReadyDelivery& delivery : deliveries) {
        ids.push_back(delivery.delivery.id);
        for (const Event& event : delivery.events) {
          if (event.version.value != ++last[event.stream.str()]) ++wrong;
          ++delivered;
        }
      }
      if (!store->ledger().complete(ids).ok()) ++wrong;
      if (finished && ids.empty()) return;
    }
  });
  std::thread reader([&] {
    while (!done) {
      if (!store->reader().feed_end().ok() || !store->ledger().backlog().ok()) ++wrong;
      if (!store->health().ok) ++wrong;
    }
  });
  std::thread maintenance([&] {
    auto* snapshots = static_cast<SnapshotStore*>(store->query(SnapshotStore::kInterface));
    for (std::uint64_t i = 1; !done; ++i) {
      const Snapshot snapshot{StreamName::unchecked("cart-1"), {i}, {5}, "text/plain", "state"};
      if (!snapshots->save({&snapshot, 1}).ok()) ++wrong;
      if (!store->ledger().purge(0s, 50).ok()) ++wrong;
    }
  });
  writer.join();
  saga.join();
  reader.join();
  maintenance.join();
  CHECK(wrong == 0);
  CHECK(delivered == static_cast<std::uint64_t>(committed));
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
