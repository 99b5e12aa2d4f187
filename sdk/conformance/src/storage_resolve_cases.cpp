// Cases about what became of a transaction.
#include "storage_cases.h"
#include "storage_kit.h"

namespace vouch::conformance {
namespace {

void expect_verdict(StorageUnderTest& under_test, std::string_view done, const Token& token,
                    Verdict expected) {
  expect_equal(done, expected, resolve(under_test.storage(), token));
}

void in_progress(StorageUnderTest& under_test) {
  auto lane = open_lane(under_test);
  const Token token = stage(*lane, {append_to("order-1")}).token;
  for (int i = 0; i < 3; ++i) {
    expect_verdict(under_test, "resolved an open transaction", token, Verdict::in_progress);
  }
  commit(*lane);
  expect_verdict(under_test, "resolved it after its commit", token, Verdict::committed);
}

void committed(StorageUnderTest& under_test) {
  auto lane = open_lane(under_test);
  const Token first = store_for_token(*lane, append_to("order-1"));
  const Token second = store_for_token(*lane, append_to("order-1"));
  expect(first != second, "committed twice", "two tokens", "one");
  expect_verdict(under_test, "resolved a committed transaction", first, Verdict::committed);
  const Token open = stage(*lane, {append_to("order-1")}).token;
  expect_verdict(under_test, "resolved one while another is open", second, Verdict::committed);
  complete(under_test.storage(), {});
  const std::vector<Token> tokens{open, first, second};
  const auto verdicts = expect_value("resolved several", under_test.storage().resolve(tokens));
  expect_equal("resolved several, verdicts in the order asked",
               std::vector<Verdict>{Verdict::in_progress, Verdict::committed, Verdict::committed},
               verdicts);
  const auto none = expect_value("resolved none", under_test.storage().resolve({}));
  expect_equal("resolved none", std::size_t{0}, none.size());
}

void aborted(StorageUnderTest& under_test) {
  auto lane = open_lane(under_test);
  const Token token = stage(*lane, {append_to("order-1")}).token;
  lane->rollback();
  expect_verdict(under_test, "resolved a rolled back transaction", token, Verdict::aborted);
  const Token next = store_for_token(*lane, append_to("order-1"));
  expect_verdict(under_test, "resolved it after another commit", token, Verdict::aborted);
  expect_verdict(under_test, "resolved the other", next, Verdict::committed);
  const Token open = stage(*lane, {append_to("order-1")}).token;
  expect_verdict(under_test, "resolved it while another is open", token, Verdict::aborted);
  lane.reset();
  expect_verdict(under_test, "resolved one whose lane is gone", open, Verdict::aborted);
}

void forgotten(StorageUnderTest& under_test) {
  auto lane = open_lane(under_test);
  const Token token = store_for_token(*lane, append_to("order-1"));
  complete(under_test.storage(), {ready(under_test.storage()).deliveries.front().id});
  expect_verdict(under_test, "resolved a delivered transaction", token, Verdict::committed);
  purge_all(under_test.storage());
  expect_verdict(under_test, "resolved a purged transaction", token, Verdict::forgotten);
  const Token next = store_for_token(*lane, append_to("order-1"));
  expect_verdict(under_test, "resolved a later transaction", next, Verdict::committed);
  const Token rolled_back = stage(*lane, {append_to("order-1")}).token;
  lane->rollback();
  expect_verdict(under_test, "resolved a later rolled back one", rolled_back, Verdict::aborted);
  lane.reset();
  under_test.reopen();
  expect_verdict(under_test, "resolved a purged one after a restart", token, Verdict::forgotten);
}

void never_given_out(StorageUnderTest& under_test) {
  auto lane = open_lane(under_test);
  const Token token = store_for_token(*lane, append_to("order-1"));
  Token next = token;
  ++next.batch.value;
  expect_verdict(under_test, "resolved the batch to come", next, Verdict::forgotten);
  Token later = token;
  later.batch.value += std::uint64_t{1} << 32U;
  expect_verdict(under_test, "resolved a later incarnation", later, Verdict::forgotten);
  Token elsewhere = token;
  elsewhere.lane.value += 1'000;
  expect_verdict(under_test, "resolved a lane that never was", elsewhere, Verdict::forgotten);
  const Token following = store_for_token(*lane, append_to("order-1"));
  expect_verdict(under_test, "resolved the batch that came", following, Verdict::committed);
}

void after_reopen(StorageUnderTest& under_test) {
  auto lane = open_lane(under_test);
  const Token done = store_for_token(*lane, append_to("order-1"));
  const Token open = stage(*lane, {append_to("order-1")}).token;
  lane.reset();
  under_test.reopen();
  expect_verdict(under_test, "resolved a committed one after a restart", done, Verdict::committed);
  expect_verdict(under_test, "resolved an unfinished one after a restart", open, Verdict::aborted);
}

void after_crash(StorageUnderTest& under_test) {
  auto lane = open_lane(under_test);
  const Token done = store_for_token(*lane, append_to("order-1", 2));
  const Token open = stage(*lane, {append_to("order-1")}).token;
  under_test.crash();
  expect_verdict(under_test, "resolved a committed one after a crash", done, Verdict::committed);
  expect_verdict(under_test, "resolved an unfinished one after a crash", open, Verdict::aborted);
  expect_equal("read the stream after a crash", Version{2},
               head_of(under_test.storage(), "order-1"));
  auto next = open_lane(under_test);
  const Token later = store_for_token(*next, append_to("order-1"));
  expect(later.batch > open.batch, "wrote after a crash", "a higher batch number", "a lower one");
  expect_verdict(under_test, "resolved the unfinished one again", open, Verdict::aborted);
}

void batch_numbers_never_repeat(StorageUnderTest& under_test) {
  BatchNumber last{0};
  for (int round = 0; round < 3; ++round) {
    auto lane = open_lane(under_test, 0);
    for (int i = 0; i < 3; ++i) {
      const Token token = stage(*lane, {append_to("order-1")}).token;
      expect(token.batch > last, "staged again", "a higher batch number", describe(token));
      expect_equal("a token's lane", 0U, token.lane.value);
      expect(token.native.size() <= 64, "a token's native part", "at most 64 bytes",
             std::to_string(token.native.size()));
      last = token.batch;
      if (i == 1) {
        commit(*lane);
      } else {
        lane->rollback();
      }
    }
    stage(*lane, {append_to("order-1")});
    lane.reset();
    if (round == 1) under_test.reopen();
  }
}

void fenced_is_aborted(StorageUnderTest& under_test) {
  auto lane = open_lane(under_test);
  const Token done = store_for_token(*lane, append_to("order-1"));
  const Token token = stage(*lane, {append_to("order-1")}).token;
  expect_ok("fenced a transaction that is over", under_test.storage().fence(done));
  expect_ok("fenced an open transaction", under_test.storage().fence(token));
  expect_verdict(under_test, "resolved a fenced transaction", token, Verdict::aborted);
  expect(lane->commit().outcome != CommitOutcome::committed, "committed a fenced transaction",
         "a refusal", "committed");
  expect_verdict(under_test, "resolved it again", token, Verdict::aborted);
  const StageResult next = store(*lane, append_to("order-1"));
  expect_equal("appended after a fence", Version{2}, next.ranges.front().first);
}

constexpr StorageCase kCases[] = {
    {"storage.resolve.in_progress", "An open transaction is in progress.", in_progress},
    {"storage.resolve.committed", "A committed transaction is committed, beside open ones too.",
     committed},
    {"storage.resolve.aborted", "A rolled back transaction is aborted for ever.", aborted},
    {"storage.resolve.never_given_out",
     "Nothing definite is said of a transaction that is yet to come.", never_given_out},
    {"storage.resolve.forgotten", "A purged transaction is forgotten, a later one is not.",
     forgotten},
    {"storage.resolve.after_reopen", "Verdicts outlive a restart.", after_reopen},
    {"storage.resolve.after_crash", "Verdicts are definite right after a host's crash.",
     after_crash},
    {"storage.resolve.batch_numbers_never_repeat",
     "Batch numbers rise, across rollbacks, lanes and restarts.", batch_numbers_never_repeat},
    {"storage.resolve.fenced_is_aborted", "A fenced transaction is aborted at once.",
     fenced_is_aborted},
};

}  // namespace

std::span<const StorageCase> resolve_cases() {
  return kCases;
}

}  // namespace vouch::conformance
