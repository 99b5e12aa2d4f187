// The suite itself: a storage that breaks a promise fails the case about it. Each liar forwards to
// a MemoryStorage and bends one answer.
#include <algorithm>
#include <catch2/catch.hpp>
#include <set>
#include <string>

#include "vouch/conformance/storage_suite.h"
#include "vouch/testkit/memory_storage.h"

namespace vouch::tests {
namespace {

enum class Lie {
  none,
  resolves_everything_as_committed,
  forgets_marks,
  ready_again_in_reverse,
  skips_the_rest_of_the_feed,
  gives_heads_in_another_order,
  accepts_any_identity,
  counts_without_erasing,
  erases_one_too_many,
};

class LyingLedger final : public Ledger {
 public:
  LyingLedger(Ledger& real, Lie lie) : real_(real), lie_(lie) {}
  Status ready(std::span<const Partition> partitions, LedgerNumber after, std::uint32_t max_events,
               DeliverySink& sink) override {
    if (lie_ != Lie::ready_again_in_reverse)
      return real_.ready(partitions, after, max_events, sink);
    for (std::size_t i = partitions.size(); i-- > 0;) {
      if (Status status = real_.ready(partitions.subspan(i, 1), after, max_events, sink);
          !status.ok()) {
        return status;
      }
    }
    return {};
  }
  Status complete(std::span<const DeliveryId> deliveries) override {
    return lie_ == Lie::forgets_marks ? Status() : real_.complete(deliveries);
  }
  Result<std::vector<std::uint8_t>> delivered(std::span<const DeliveryId> deliveries) override {
    return real_.delivered(deliveries);
  }
  Result<std::vector<Backlog>> backlog() override { return real_.backlog(); }
  Result<std::uint64_t> purge(std::chrono::seconds age, std::uint32_t limit) override {
    return real_.purge(age, limit);
  }
  Result<std::unique_ptr<Claim>> claim(Partition partition) override {
    return real_.claim(partition);
  }

 private:
  Ledger& real_;
  Lie lie_;
};

class LyingReader final : public Reader {
 public:
  LyingReader(Reader& real, Lie lie) : real_(real), lie_(lie) {}
  Status stream(const StreamName& stream, Version from, Direction direction, std::uint32_t limit,
                EventSink& sink) override {
    return real_.stream(stream, from, direction, limit, sink);
  }
  Result<std::vector<Version>> heads(std::span<const StreamName> streams) override {
    auto heads = real_.heads(streams);
    if (lie_ == Lie::gives_heads_in_another_order && heads.ok()) {
      std::sort(heads->begin(), heads->end());
    }
    return heads;
  }
  Status event(const EventId& id, EventSink& sink) override { return real_.event(id, sink); }
  Result<FeedPage> feed(const FeedQuery& query, FeedSink& sink) override {
    auto page = real_.feed(query, sink);
    if (lie_ == Lie::skips_the_rest_of_the_feed && page.ok()) {
      page->next = *real_.feed_end();
      page->at_end = true;
    }
    return page;
  }
  Result<bool> reached(const Cursor& cursor, const Cursor& target) override {
    return real_.reached(cursor, target);
  }
  Result<Cursor> feed_end() override { return real_.feed_end(); }
  Status streams(std::string_view category, std::string_view after, std::uint32_t limit,
                 StreamSink& sink) override {
    return real_.streams(category, after, limit, sink);
  }

 private:
  Reader& real_;
  Lie lie_;
};

class LyingErasures final : public ErasureStore {
 public:
  LyingErasures(Storage& real, Lie lie)
      : real_(*static_cast<ErasureStore*>(real.query(ErasureStore::kInterface))), lie_(lie) {}
  Result<ErasureOutcome> erase(const Erasure& erasure) override {
    if (lie_ == Lie::counts_without_erasing) {
      return ErasureOutcome{erasure.last, erasure.last.value - erasure.first.value + 1, 0};
    }
    Erasure more = erasure;
    if (lie_ == Lie::erases_one_too_many) ++more.last.value;
    auto outcome = real_.erase(more);
    if (outcome.ok() && lie_ == Lie::erases_one_too_many) {
      outcome->events -= 1;
      outcome->last = erasure.last;
    }
    return outcome;
  }
  Result<std::vector<ErasureRecord>> recorded(const StreamName& stream) override {
    return real_.recorded(stream);
  }

 private:
  ErasureStore& real_;
  Lie lie_;
};

class LyingStorage final : public Storage {
 public:
  LyingStorage(Storage& real, Lie lie)
      : real_(real),
        lie_(lie),
        ledger_(real.ledger(), lie),
        reader_(real.reader(), lie),
        erasures_(real, lie) {}
  ~LyingStorage() = default;
  Status open() override { return real_.open(); }
  Status check() override { return real_.check(); }
  Status migrate(const StoreIdentity& identity) override {
    return lie_ == Lie::accepts_any_identity ? Status() : real_.migrate(identity);
  }
  void close() override { real_.close(); }
  Health health() override { return real_.health(); }
  [[nodiscard]] StorageCapabilities capabilities() const override { return real_.capabilities(); }
  [[nodiscard]] std::string guarantees() const override { return real_.guarantees(); }
  Result<std::unique_ptr<Lane>> lane(LaneNumber number, std::chrono::milliseconds wait) override {
    return real_.lane(number, wait);
  }
  Result<std::vector<Verdict>> resolve(std::span<const Token> tokens) override {
    if (lie_ != Lie::resolves_everything_as_committed) return real_.resolve(tokens);
    return std::vector<Verdict>(tokens.size(), Verdict::committed);
  }
  Status fence(const Token& token) override { return real_.fence(token); }
  Ledger& ledger() override { return ledger_; }
  Reader& reader() override { return reader_; }
  void* query(std::string_view interface_id) override {
    if (interface_id != ErasureStore::kInterface) return real_.query(interface_id);
    return static_cast<ErasureStore*>(&erasures_);
  }

 private:
  Storage& real_;
  Lie lie_;
  LyingLedger ledger_;
  LyingReader reader_;
  LyingErasures erasures_;
};

class LiarUnderTest final : public conformance::StorageUnderTest {
 public:
  explicit LiarUnderTest(Lie lie) : real_(database_, faults_), liar_(real_, lie) {
    REQUIRE(real_.open().ok());
    REQUIRE(real_.migrate(identity()).ok());
  }
  Storage& storage() override { return liar_; }
  void reopen() override {
    real_.close();
    REQUIRE(real_.open().ok());
  }

 private:
  testkit::MemoryDatabase database_;
  testkit::Faults faults_;
  testkit::MemoryStorage real_;
  LyingStorage liar_;
};

void run(const std::string& id, Lie lie) {
  for (const conformance::StorageCase& one : conformance::storage_cases()) {
    if (id != one.id) continue;
    LiarUnderTest under_test(lie);
    one.run(under_test);
    return;
  }
  FAIL("there is no case " << id);
}

TEST_CASE("a storage that breaks a promise fails the case about it") {
  struct Row {
    Lie lie;
    const char* id;
  };
  constexpr Row kRows[] = {
      {Lie::resolves_everything_as_committed, "storage.resolve.in_progress"},
      {Lie::resolves_everything_as_committed, "storage.resolve.aborted"},
      {Lie::resolves_everything_as_committed, "storage.resolve.forgotten"},
      {Lie::forgets_marks, "storage.ledger.completed_is_not_ready_again"},
      {Lie::forgets_marks, "storage.ledger.backlog"},
      {Lie::ready_again_in_reverse, "storage.ledger.order"},
      {Lie::skips_the_rest_of_the_feed, "storage.feed.versions_rise_at_every_page_size"},
      {Lie::skips_the_rest_of_the_feed, "storage.feed.sink_ends_the_page"},
      {Lie::gives_heads_in_another_order, "storage.read.heads_in_the_order_asked"},
      {Lie::counts_without_erasing, "storage.erase.tombstone_everywhere"},
      {Lie::counts_without_erasing, "storage.erase.large_stream"},
      {Lie::counts_without_erasing, "storage.erase.record_survives_reopen"},
      {Lie::erases_one_too_many, "storage.erase.tombstone_everywhere"},
      {Lie::erases_one_too_many, "storage.erase.repeating_changes_nothing"},
      {Lie::accepts_any_identity, "storage.migrate.other_partition_count_is_refused"},
  };
  for (const Row& row : kRows) {
    INFO(row.id);
    CHECK_THROWS_AS(run(row.id, row.lie), conformance::ConformanceFailure);
    CHECK_NOTHROW(run(row.id, Lie::none));
  }
}

TEST_CASE("the ids of the cases are unique and begin with the subject") {
  std::set<std::string> ids;
  for (const conformance::StorageCase& one : conformance::storage_cases()) {
    INFO(one.id);
    CHECK(ids.insert(one.id).second);
    CHECK(std::string(one.id).starts_with("storage."));
    CHECK(std::string(one.sentence).ends_with("."));
  }
}

TEST_CASE("a failure says what was done, expected and came back") {
  try {
    run("storage.resolve.in_progress", Lie::resolves_everything_as_committed);
    FAIL("the case passed");
  } catch (const conformance::ConformanceFailure& failure) {
    CHECK(std::string(failure.what()) ==
          "resolved an open transaction: expected in_progress, came back committed");
  }
}

}  // namespace
}  // namespace vouch::tests
